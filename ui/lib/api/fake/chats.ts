// The fake conversations, and the fake model that answers in them.

import { BackendError } from '../backend'
import type {
  AskRequest,
  Change,
  ChatEvent,
  Conversation,
  ConversationSummary,
  ExpertChoice,
  ExpertLabel,
  Message,
  Routing,
  SearchHit,
} from '../types'
import { answerTo, tokens } from './answers'
import type { FakeExperts } from './experts'
import { answer, metricsOf, NO_SAMPLING, question } from './seed'

const SNIPPET = 140
const FAIL_AFTER = 12

export interface FakeSpeed {
  /** `Infinity`: everything at once. */
  tokensPerSecond: number
}

export class FakeChats {
  all: Conversation[]
  trashed: Conversation[] = []
  #trashedMessages = new Map<string, Message[]>()
  #stopping = new Set<string>()
  #next = 1

  constructor(
    conversations: Conversation[],
    private readonly now: () => number,
    private readonly speed: FakeSpeed,
    private readonly experts: FakeExperts,
    private readonly changed: (change: Change) => void,
  ) {
    this.all = conversations
  }

  find(id: string): Conversation {
    const found = this.all.find((one) => one.summary.id === id)
    if (!found) throw new BackendError('unknown_name', `unknown conversation \`${id}\``)
    return found
  }

  change(id: string, change: (conversation: Conversation) => Conversation): Conversation {
    const after = change(this.find(id))
    this.all = this.all.map((one) => (one.summary.id === id ? after : one))
    return after
  }

  summarise(id: string, changes: Partial<ConversationSummary>): ConversationSummary {
    return this.change(id, (one) => ({ ...one, summary: { ...one.summary, ...changes } })).summary
  }

  create(): ConversationSummary {
    const now = this.now()
    const summary = {
      id: `n${this.#next++}`,
      title: '',
      pinned: false,
      created_at: now,
      updated_at: now,
      message_count: 0,
    }
    this.all = [
      { summary, messages: [], leaf: null, system_prompt: '', preset_id: null, sampling: NO_SAMPLING, draft: '' },
      ...this.all,
    ]
    return summary
  }

  trash(id: string): void {
    const found = this.find(id)
    this.all = this.all.filter((one) => one !== found)
    this.trashed = [found, ...this.trashed]
  }

  restore(id: string): void {
    const found = this.trashed.find((one) => one.summary.id === id)
    if (!found) throw new BackendError('unknown_name', `nothing with the id \`${id}\` in the trash`)
    this.trashed = this.trashed.filter((one) => one !== found)
    this.all = [found, ...this.all]
  }

  trashMessage(id: string, message: string): void {
    const { messages } = this.find(id)
    const gone = new Set([message])
    for (const one of messages) if (one.parent && gone.has(one.parent)) gone.add(one.id)
    this.#trashedMessages.set(
      message,
      messages.filter((one) => gone.has(one.id)),
    )
    const kept = messages.filter((one) => !gone.has(one.id))
    this.change(id, (one) => ({
      ...one,
      messages: kept,
      leaf: one.leaf && gone.has(one.leaf) ? (kept.at(-1)?.id ?? null) : one.leaf,
      summary: { ...one.summary, message_count: kept.length },
    }))
  }

  restoreMessage(id: string, message: string): void {
    const back = this.#trashedMessages.get(message) ?? []
    this.change(id, (one) => {
      const messages = [...one.messages, ...back].sort((a, b) => a.created_at - b.created_at)
      return {
        ...one,
        messages,
        leaf: back.at(-1)?.id ?? one.leaf,
        summary: { ...one.summary, message_count: messages.length },
      }
    })
  }

  search(query: string): SearchHit[] {
    const wanted = fold(query)
    const hits: SearchHit[] = []
    for (const { summary, messages } of this.all) {
      const base = { conversation_id: summary.id, conversation_title: summary.title }
      const inTitle = marks(summary.title, wanted)
      if (inTitle.length) {
        hits.push({
          ...base,
          message_id: null,
          role: null,
          created_at: summary.updated_at,
          snippet: summary.title,
          marks: inTitle,
        })
      }
      for (const message of messages) {
        const at = fold(message.content).indexOf(wanted)
        if (at < 0) continue
        const from = Math.max(0, at - 40)
        const snippet = `${from > 0 ? '…' : ''}${message.content.slice(from, from + SNIPPET).replaceAll(/\s+/g, ' ')}`
        hits.push({
          ...base,
          message_id: message.id,
          role: message.role,
          created_at: message.created_at,
          snippet,
          marks: marks(snippet, wanted),
        })
        if (hits.length >= 60) return hits
      }
    }
    return hits
  }

  async ask(request: AskRequest, onEvent: (event: ChatEvent) => void): Promise<void> {
    if (!request.text.trim()) throw new BackendError('bad_request', 'text: empty, expected a question')
    if (request.text.includes('/refuse')) throw new BackendError('failed', 'cannot write to the disk: no space left')
    const asked = question(`q${this.#next++}`, request.parent, request.text, this.now())
    this.#add(request.conversation_id, asked)
    if (!this.find(request.conversation_id).summary.title) {
      this.summarise(request.conversation_id, { title: request.text.split('\n')[0]!.slice(0, 60) })
    }
    await this.#answer(request.conversation_id, asked, request.experts ?? { mode: 'auto' }, true, onEvent)
  }

  async regenerate(
    id: string,
    questionId: string,
    experts: ExpertChoice,
    onEvent: (event: ChatEvent) => void,
  ): Promise<void> {
    const asked = this.find(id).messages.find((message) => message.id === questionId)
    if (!asked) throw new BackendError('unknown_name', `unknown message \`${questionId}\``)
    await this.#answer(id, asked, experts, false, onEvent)
  }

  stop(answerId: string): void {
    this.#stopping.add(answerId)
  }

  label(message: string, label: ExpertLabel | null): void {
    this.all = this.all.map((one) => ({
      ...one,
      messages: one.messages.map((other) => (other.id === message ? { ...other, expert_label: label } : other)),
    }))
  }

  async #answer(
    id: string,
    asked: Message,
    experts: ExpertChoice,
    fresh: boolean,
    onEvent: (event: ChatEvent) => void,
  ): Promise<void> {
    const siblings = this.find(id).messages.filter((message) => message.parent === asked.id).length
    const whole = answerTo(asked.content, siblings)
    const parts = tokens(whole)
    let made: Message = {
      ...answer(`a${this.#next++}`, asked.id, '', this.now()),
      state: 'running',
      finish_reason: null,
      metrics: null,
    }
    this.#add(id, made)
    onEvent({ type: 'stored', question: fresh ? asked : null, answer: made })
    const end = (last: Message, type: 'done' | 'failed') => {
      const after = this.change(id, (one) => ({
        ...one,
        messages: one.messages.map((m) => (m.id === last.id ? last : m)),
      }))
      onEvent({ type, answer: last, summary: after.summary })
      this.#stopping.delete(last.id)
      this.changed('conversations')
    }
    const stopped = () => this.#stopping.has(made.id)
    const failed = (code: string, message: string) =>
      end({ ...made, state: 'failed', error: { code, message }, metrics: null }, 'failed')

    if (asked.content.includes('/full')) {
      return failed(
        'context_length_exceeded',
        'the conversation needs 4,612 tokens, the model holds 4,096\nhint: begin a new conversation, or delete earlier messages',
      )
    }
    let routing: Routing | null
    try {
      routing = this.experts.routing(asked.content, experts, this.#answeredBefore(id, asked))
    } catch (error) {
      if (error instanceof BackendError) return failed(error.code, error.message)
      throw error
    }
    if (routing) {
      made = { ...made, routing }
      onEvent({ type: 'routed', ...routing })
      this.experts.used(routing)
    }
    if (asked.content.includes('/slow')) await this.#load(onEvent, stopped)
    await this.#wait(200)
    for (let done = 32; done <= 118 && !stopped(); done += 43) {
      onEvent({ type: 'prefill', done_tokens: done, total_tokens: 118 })
      await this.#wait(60)
    }
    for (const [index, text] of parts.entries()) {
      if (stopped()) break
      if (asked.content.includes('/fail') && index === FAIL_AFTER) {
        return failed(
          'failed',
          'cannot hold the context: needs 3.1 GB, 2.4 GB free\nhint: choose a smaller cache in Settings',
        )
      }
      made = { ...made, content: made.content + text }
      onEvent({ type: 'token', text })
      await this.#wait(1000 / this.speed.tokensPerSecond)
    }
    const cancelled = stopped()
    const rate = Number.isFinite(this.speed.tokensPerSecond) ? this.speed.tokensPerSecond + 0.7 : 40.7
    end(
      {
        ...made,
        state: cancelled ? 'cancelled' : 'complete',
        finish_reason: cancelled ? 'cancelled' : 'stop',
        metrics: metricsOf(made.content, rate),
      },
      'done',
    )
  }

  /** The expert of the answer before this question. */
  #answeredBefore(id: string, asked: Message): string | null {
    const before = this.find(id).messages.find((message) => message.id === asked.parent)
    return before?.routing?.experts[0]?.expert_id ?? null
  }

  async #load(onEvent: (event: ChatEvent) => void, stopped: () => boolean): Promise<void> {
    onEvent({ type: 'loading', phase: "reading the model's headers", done: 0, total: 0 })
    await this.#wait(400)
    for (let done = 1; done <= 30 && !stopped(); done += 1) {
      onEvent({ type: 'loading', phase: 'reading the weights', done, total: 30 })
      await this.#wait(80)
    }
    onEvent({ type: 'loading', phase: 'reading the tokenizer', done: 0, total: 0 })
    await this.#wait(300)
  }

  #add(id: string, message: Message): void {
    this.change(id, (one) => ({
      ...one,
      messages: [...one.messages, message],
      leaf: message.id,
      summary: { ...one.summary, message_count: one.messages.length + 1, updated_at: this.now() },
    }))
  }

  #wait(ms: number): Promise<void> {
    if (!Number.isFinite(this.speed.tokensPerSecond)) return Promise.resolve()
    return new Promise((resolve) => setTimeout(resolve, ms))
  }
}

/** As long as what it folds, so that places in one are places in the other. */
function fold(text: string): string {
  return [...text]
    .map((letter) => FOLDED[letter] ?? (letter.toLowerCase().length === letter.length ? letter.toLowerCase() : letter))
    .join('')
}

const FOLDED: Record<string, string> = { İ: 'i', I: 'ı' }

function marks(text: string, wanted: string): [number, number][] {
  const found: [number, number][] = []
  const folded = fold(text)
  for (let at = folded.indexOf(wanted); at >= 0 && wanted; at = folded.indexOf(wanted, at + wanted.length)) {
    found.push([at, at + wanted.length])
  }
  return found
}
