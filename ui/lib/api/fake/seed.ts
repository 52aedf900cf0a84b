// The conversations a fake start finds: a few real-looking ones, one with branches, one with 2,000 messages.

import type { Conversation, Message, MessageMetrics, SamplingChoice } from '../types'
import { answerTo, tokens } from './answers'
import { FakeExperts } from './experts'

export const NO_SAMPLING: SamplingChoice = {
  temperature: null,
  top_p: null,
  top_k: null,
  min_p: null,
  repetition_penalty: null,
  seed: null,
  max_tokens: null,
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

const TITLES: [title: string, hoursAgo: number, pinned?: boolean][] = [
  ['Notice period in a commercial lease', 2, true],
  ['Kira sözleşmesinde bildirim süresi', 30, true],
  ['Count the words of a file', 1],
  ['Mean or median?', 4],
  ['Türkçe arama için harf çevirisi', 26],
  ['Kredi taksiti nasıl hesaplanır?', 27],
  ['Can leftovers be heated again', 50],
  ['İzmir’de üç günlük gezi planı', 74],
  ['A polite reminder for an unpaid invoice', 98],
  ['Toplantı tutanağını özetle', 120],
  ['Explain the borrow checker to a C programmer', 260],
  ['Şirket kuruluş belgelerinin tam listesi ve hangi kurumdan alınacağı', 300],
  ['Glucose tolerance test', 420],
  ['Akış şeması çıkar', 800],
  ['Regex for dates', 1200],
]

export function metricsOf(answer: string, tokensPerSecond: number): MessageMetrics {
  const completion = tokens(answer).length
  const inference = Math.round((completion / tokensPerSecond) * 1000)
  return {
    total_time_ms: inference + 260,
    routing_time_ms: 0.4,
    expert_loading_time_ms: 0,
    loading_time_ms: 0,
    prefill_time_ms: 240,
    inference_time_ms: inference,
    time_to_first_token_ms: 260,
    prompt_tokens: 118,
    completion_tokens: completion,
    cached_tokens: 64,
    prefill_tokens_per_second: 491.6,
    decode_tokens_per_second: tokensPerSecond,
  }
}

export function question(id: string, parent: string | null, content: string, at: number): Message {
  return {
    id,
    parent,
    role: 'user',
    content,
    created_at: at,
    state: 'complete',
    model: null,
    finish_reason: null,
    seed: null,
    error: null,
    metrics: null,
  }
}

export function answer(id: string, parent: string, content: string, at: number): Message {
  return {
    id,
    parent,
    role: 'assistant',
    content,
    created_at: at,
    state: 'complete',
    model: 'bitnet-2b-4t',
    finish_reason: 'stop',
    seed: '8091276534120987',
    error: null,
    metrics: metricsOf(content, 38 + (content.length % 7) + 0.4),
  }
}

function conversation(id: string, title: string, at: number, pinned: boolean, messages: Message[]): Conversation {
  return {
    summary: { id, title, pinned, created_at: at, updated_at: at, message_count: messages.length },
    messages,
    leaf: messages.at(-1)?.id ?? null,
    system_prompt: '',
    preset_id: null,
    sampling: NO_SAMPLING,
    draft: '',
  }
}

/** As it was answered by whoever the router chose. */
function routed(message: Message, asked: string, now: number, before?: string): Message {
  const experts = new FakeExperts(
    false,
    () => now,
    () => {},
  )
  return { ...message, routing: experts.routing(asked, { mode: 'auto' }, before ?? null) }
}

function plain(index: number, now: number): Conversation {
  const [title, hours, pinned = false] = TITLES[index]!
  const id = `c${index + 1}`
  const at = now - hours * HOUR
  const asked = question(`${id}-q1`, null, title, at)
  const told = routed(answer(`${id}-a1`, asked.id, answerTo(title), at + 9_000), title, now)
  const again = question(
    `${id}-q2`,
    told.id,
    /[ıİşğüöç]/.test(title) ? 'Bunu kısaca özetler misin?' : 'And in one sentence?',
    at + 60_000,
  )
  const more = routed(
    answer(`${id}-a2`, again.id, answerTo(again.content + title), at + 66_000),
    again.content,
    now,
    told.routing?.experts[0]?.expert_id,
  )
  return conversation(id, title, at, pinned, [asked, told, again, more])
}

/** Two answers to the first question, an edited second question, an answer that was stopped and one that failed. */
function branched(now: number): Conversation {
  const at = now - 20 * 60_000
  const q1 = question('b-q1', null, 'Compare the mean and the median for noisy measurements', at)
  const a1 = answer('b-a1', q1.id, answerTo('code'), at + 5_000)
  const a2 = routed(answer('b-a2', q1.id, answerTo('Mean or median?', 2), at + 20_000), q1.content, now)
  const q2 = question('b-q2', a2.id, 'Which one should I report?', at + 60_000)
  const a3: Message = {
    ...answer('b-a3', q2.id, 'Report the median, and beside it the', at + 62_000),
    state: 'cancelled',
    finish_reason: 'cancelled',
  }
  const q3 = question('b-q3', a2.id, 'Which one should I report in a paper?', at + 90_000)
  const a4: Message = {
    ...answer('b-a4', q3.id, '', at + 91_000),
    state: 'failed',
    finish_reason: null,
    metrics: null,
    error: {
      code: 'failed',
      message:
        'cannot hold the context: needs 3.1 GB, 2.4 GB free\nhint: choose a smaller cache in Settings, or close other programs',
    },
  }
  const q4 = question('b-q4', a2.id, 'Which one should I report, and how?', at + 120_000)
  const a5 = answer('b-a5', q4.id, answerTo('Which one should I report, and how?', 1), at + 126_000)
  return conversation('branches', 'Mean and median, with branches', at, false, [q1, a1, a2, q2, a3, q3, a4, q4, a5])
}

function long(now: number): Conversation {
  const at = now - 40 * DAY
  const messages: Message[] = []
  for (let turn = 0; turn < 1000; turn += 1) {
    const parent = messages.at(-1)?.id ?? null
    const text =
      turn % 3 === 0
        ? `Soru ${turn + 1}: bunu bir örnekle açıklar mısın?`
        : `Question ${turn + 1}: can you give an example?`
    const asked = question(`l-q${turn + 1}`, parent, text, at + turn * 60_000)
    messages.push(asked, answer(`l-a${turn + 1}`, asked.id, answerTo(text, turn), at + turn * 60_000 + 8_000))
  }
  return conversation('long', 'A year of questions', at, false, messages)
}

export function seed(now: number): Conversation[] {
  return [...TITLES.map((_, index) => plain(index, now)), branched(now), long(now)]
}
