import { flushSync } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BackendError, type Backend } from '../api/backend'
import { FakeBackend } from '../api/fake'
import type { ChatEvent, ConversationSummary, Message } from '../api/types'
import type { Chat } from './chat.svelte'
import { Chats } from './chats.svelte'

// Frames and timers are moved by hand.
beforeEach(() => {
  localStorage.clear()
  vi.useFakeTimers()
})
afterEach(() => void vi.useRealTimers())

/** A backend whose answers are written by the test. */
function scripted() {
  const backend = new FakeBackend({ fresh: true, instant: true })
  let emit: (event: ChatEvent) => void = () => {}
  let end: (error?: unknown) => void = () => {}
  const begin = (onEvent: (event: ChatEvent) => void) => {
    emit = onEvent
    return new Promise<void>((resolve, reject) => (end = (error) => (error === undefined ? resolve() : reject(error))))
  }
  vi.spyOn(backend, 'ask').mockImplementation((_request, onEvent) => begin(onEvent))
  vi.spyOn(backend, 'regenerate').mockImplementation((_id, _question, _experts, onEvent) => begin(onEvent))
  return { backend, emit: (event: ChatEvent) => emit(event), end: (error?: unknown) => end(error) }
}

function message(id: string, parent: string | null, more: Partial<Message>): Message {
  return {
    id,
    parent,
    role: 'assistant',
    content: '',
    created_at: 1,
    state: 'complete',
    model: null,
    finish_reason: null,
    seed: null,
    error: null,
    metrics: null,
    ...more,
  }
}
const question = message('q', null, { role: 'user', content: 'Why?' })
const running = message('a', 'q', { state: 'running', created_at: 2 })
const finished = message('a', 'q', { content: 'Because it is so.', created_at: 2, finish_reason: 'stop' })
const token = (text: string): ChatEvent => ({ type: 'token', text })

async function open(backend: Backend) {
  const changed: ConversationSummary[] = []
  const chats = new Chats(backend, { summaryChanged: (summary) => changed.push(summary) })
  const chat = await chats.create()
  return { chats, chat, changed }
}
const texts = (chat: Chat) => chat.rows.map((row) => `${row.message.content} ${row.index + 1}/${row.siblings.length}`)

describe('an answer while it is made', () => {
  it('is painted once per frame, however many tokens arrive', async () => {
    const { backend, emit } = scripted()
    const { chat } = await open(backend)
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    let painted = 0
    const stop = $effect.root(() => {
      $effect(() => {
        void chat.run?.text
        painted++
      })
    })
    flushSync()
    for (let i = 0; i < 5_000; i++) emit(token('x'))
    flushSync()
    expect(chat.run!.text).toBe('')
    await vi.advanceTimersByTimeAsync(17)
    flushSync()
    expect(chat.run!.text).toHaveLength(5_000)
    expect(painted).toBe(2)
    stop()
  })

  it('says what happens before the first token', async () => {
    const { backend, emit } = scripted()
    const { chat } = await open(backend)
    void chat.send('Why?')
    expect(chat.run!.phase.kind).toBe('waiting')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    emit({ type: 'loading', phase: 'packing the weights', done: 3, total: 9 })
    expect(chat.run!.phase).toEqual({ kind: 'loading', phase: 'packing the weights', done: 3, total: 9 })
    emit({ type: 'prefill', done_tokens: 64, total_tokens: 200 })
    expect(chat.run!.phase).toEqual({ kind: 'prefill', done: 64, total: 200 })
    emit(token('Be'))
    await vi.advanceTimersByTimeAsync(17)
    expect(chat.run!.phase.kind).toBe('writing')
  })

  it('ends with what the core has stored, title and all', async () => {
    const { backend, emit, end } = scripted()
    const { chat, changed } = await open(backend)
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    emit(token('Because'))
    emit({ type: 'done', answer: finished, summary: { ...chat.summary, title: 'Why?' } })
    end()
    await vi.advanceTimersByTimeAsync(50)
    expect(chat.run).toBeNull()
    expect(chat.last).toEqual(finished)
    expect(changed.at(-1)!.title).toBe('Why?')
  })

  it('goes on while another conversation is shown, and is found again', async () => {
    const { backend, emit } = scripted()
    const { chats, chat } = await open(backend)
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    for (let i = 0; i < 12; i++) await chats.create()
    emit(token('still here'))
    await vi.advanceTimersByTimeAsync(17)
    expect(chats.running).toEqual([chat.id])
    const again = await chats.open(chat.id)
    expect(again).toBe(chat)
    expect(again.run!.text).toBe('still here')
  })

  it('that breaks off without a word from the core does not stay running', async () => {
    const { backend, emit, end } = scripted()
    const { chat } = await open(backend)
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    emit(token('half'))
    end(new BackendError('failed', 'the channel is gone'))
    await vi.advanceTimersByTimeAsync(0)
    expect(chat.run).toBeNull()
    expect(chat.last).toMatchObject({ state: 'failed', content: 'half', error: { code: 'failed' } })
  })

  it('of a conversation takes one question at a time', async () => {
    const { backend } = scripted()
    const { chat } = await open(backend)
    void chat.send('one')
    expect(await chat.send('two')).toBe(false)
    expect(backend.ask).toHaveBeenCalledTimes(1)
  })
})

describe('a conversation in the trash', () => {
  it('stops its answer, and does not come back into the list when it ends', async () => {
    const { backend, emit } = scripted()
    const { chats, chat, changed } = await open(backend)
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    const before = changed.length
    chats.forget(chat.id)
    expect(backend.calls.at(-1)).toEqual(['stop', 'a'])
    emit({ type: 'done', answer: { ...finished, state: 'cancelled' }, summary: chat.summary })
    expect(changed).toHaveLength(before)
  })
})

describe('an answer begun elsewhere', () => {
  it('is read again when something changed', async () => {
    const { backend } = scripted()
    const { chats, chat } = await open(backend)
    chat.messages = [question, running]
    vi.spyOn(backend, 'openConversation').mockResolvedValue({
      summary: chat.summary,
      messages: [question, finished],
      leaf: 'a',
      system_prompt: '',
      preset_id: null,
      draft: '',
      sampling: chat.parameters.sampling,
    })
    chats.refresh()
    await vi.advanceTimersByTimeAsync(0)
    expect(chat.last).toEqual(finished)
  })
})

describe('stopping', () => {
  it('reaches the core, and again when the core refused', async () => {
    const { backend, emit } = scripted()
    const { chat } = await open(backend)
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    backend.failNext.set('stop', new BackendError('failed', 'busy'))
    await chat.stop()
    expect(chat.run!.stopping).toBe(false)
    await chat.stop()
    expect(chat.run!.stopping).toBe(true)
    expect(backend.calls.filter(([name]) => name === 'stop')).toEqual([
      ['stop', 'a'],
      ['stop', 'a'],
    ])
  })

  it('before the question is stored takes effect as soon as it is', async () => {
    const { backend, emit } = scripted()
    const { chat } = await open(backend)
    void chat.send('Why?')
    await chat.stop()
    expect(backend.calls.some(([name]) => name === 'stop')).toBe(false)
    await vi.advanceTimersByTimeAsync(0)
    emit({ type: 'stored', question, answer: running })
    expect(backend.calls.at(-1)).toEqual(['stop', 'a'])
  })
})

describe('with the fake core', () => {
  async function asked() {
    const backend = new FakeBackend({ fresh: true, instant: true })
    const all = await open(backend)
    await settle(all.chat.send('First question'))
    return { backend, ...all }
  }
  async function settle(work: Promise<unknown>) {
    await vi.runAllTimersAsync()
    await work
    await vi.runAllTimersAsync()
  }

  it('regenerating puts another answer beside the first', async () => {
    const { chat } = await asked()
    await settle(chat.regenerateLast())
    expect(chat.rows[1]).toMatchObject({ index: 1, siblings: [expect.any(String), expect.any(String)] })
    await chat.turn(chat.rows[1]!.message, -1)
    expect(chat.rows[1]!.index).toBe(0)
  })

  it('editing puts another question beside the first, and turning the pager brings back its branch', async () => {
    const { chat, backend } = await asked()
    await settle(chat.send('Second question'))
    await settle(chat.edit(chat.rows[0]!.message, 'First question, better'))
    expect(texts(chat)[0]).toBe('First question, better 2/2')
    expect(chat.rows).toHaveLength(2)
    await chat.turn(chat.rows[0]!.message, -1)
    expect(chat.rows.map((row) => row.message.content)[2]).toBe('Second question')
    expect(backend.calls.at(-1)![0]).toBe('showBranch')
  })

  it('a failed answer stays under its question and can be tried again', async () => {
    const { chat } = await asked()
    await settle(chat.send('/fail please'))
    expect(chat.last).toMatchObject({ state: 'failed', error: { code: 'failed' } })
    await settle(chat.regenerateLast())
    expect(chat.rows.at(-1)!.siblings).toHaveLength(2)
    expect(chat.rows.at(-2)!.message.content).toBe('/fail please')
  })

  it('a question that is refused is told, and nothing is added', async () => {
    const { chat } = await asked()
    const before = chat.messages
    const sent = chat.send('/refuse')
    await settle(sent)
    expect(await sent).toBe(false)
    expect(chat.problem).toMatchObject({ message: expect.stringContaining('disk') })
    expect(chat.messages).toBe(before)
    expect(chat.run).toBeNull()
  })

  it('a removed message takes what is below it along, and comes back', async () => {
    const { chat } = await asked()
    await settle(chat.send('Second question'))
    const before = texts(chat)
    const undo = await chat.remove(chat.rows[1]!.message)
    expect(chat.rows).toHaveLength(1)
    await undo()
    expect(texts(chat)).toEqual(before)
  })

  it('parameters are stored before the question that needs them', async () => {
    const { chat, backend } = await asked()
    chat.parameters.sample({ temperature: 0 })
    await settle(chat.send('now cold'))
    const names = backend.calls.map(([name]) => name)
    expect(names.indexOf('saveParameters')).toBeGreaterThan(-1)
    expect(names.indexOf('saveParameters')).toBeLessThan(names.lastIndexOf('ask'))
  })
})

describe('drafts', () => {
  it('are saved with every key, and together what is typed while a save is under way', async () => {
    const { backend } = scripted()
    const { chat } = await open(backend)
    const saved = () => backend.calls.filter(([name]) => name === 'saveDraft').map(([, , text]) => text)
    chat.draft.text = 'a'
    expect(saved()).toEqual(['a'])
    chat.draft.text = 'ab'
    chat.draft.text = 'abc'
    expect(saved()).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(0)
    expect(saved()).toEqual(['a', 'abc'])
  })

  it('are saved at once when the person goes elsewhere', async () => {
    const { backend } = scripted()
    const { chats, chat } = await open(backend)
    chat.draft.text = 'half a thou'
    chats.newDraft.text = 'another'
    await chats.leaveAll()
    expect(backend.calls.at(-1)).toEqual(['saveDraft', chat.id, 'half a thou'])
    expect(new Chats(backend, { summaryChanged() {} }).newDraft.text).toBe('another')
  })

  it('that could not be saved are tried again', async () => {
    const { backend } = scripted()
    const { chat } = await open(backend)
    backend.failNext.set('saveDraft', new BackendError('failed', 'no space'))
    chat.draft.text = 'x'
    await vi.advanceTimersByTimeAsync(500)
    await chat.leave()
    expect(backend.calls.filter(([name]) => name === 'saveDraft')).toHaveLength(2)
  })
})

describe('the context', () => {
  it('is measured once for many keys, and an old measurement never replaces a new one', async () => {
    const { backend } = scripted()
    const { chat } = await open(backend)
    await vi.advanceTimersByTimeAsync(1_000)
    const waiting: ((use: number) => void)[] = []
    vi.spyOn(backend, 'contextUse').mockImplementation(
      () =>
        new Promise((resolve) =>
          waiting.push((draft) => resolve({ limit: 100, system: 0, history: 0, draft, answer: 10 })),
        ),
    )
    for (const text of ['a', 'ab', 'abc']) chat.draft.text = text
    await vi.advanceTimersByTimeAsync(400)
    expect(waiting).toHaveLength(1)
    chat.draft.text = 'abcd'
    await vi.advanceTimersByTimeAsync(400)
    waiting[1]!(4)
    waiting[0]!(3)
    await vi.advanceTimersByTimeAsync(0)
    expect(chat.context.use!.draft).toBe(4)
  })
})

describe('a new conversation', () => {
  it('gets what was chosen before it existed', async () => {
    const { backend } = scripted()
    const chats = new Chats(backend, { summaryChanged() {} })
    chats.newParameters.set({ systemPrompt: 'Be brief.' })
    const chat = await chats.create()
    void chat.send('Why?')
    await vi.advanceTimersByTimeAsync(0)
    expect(backend.calls.some(([name, , prompt]) => name === 'saveParameters' && prompt === 'Be brief.')).toBe(true)
    expect(chats.newParameters.systemPrompt).toBe('')
  })
})
