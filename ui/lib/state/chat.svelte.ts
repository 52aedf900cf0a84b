// One open conversation: its messages, the answer being made, what is typed, and the parameters of the next answer.

import { BackendError, type Backend } from '../api/backend'
import type {
  ChatEvent,
  Conversation,
  ConversationSummary,
  ExpertChoice,
  ExpertLabel,
  Message,
  MessageError,
} from '../api/types'
import { ContextMeter } from './chatContext.svelte'
import { Draft } from './chatDraft.svelte'
import { Choosing } from './chatExperts.svelte'
import { Parameters } from './chatParameters.svelte'
import { Run } from './chatRun.svelte'
import { branch, buildTree, leafAfterRemoving, leafOfSibling, newestLeaf, subtree, type Row } from './tree'

/** Characters of one message; the core refuses more. */
export const MOST_CHARACTERS = 10_000
const MOST_IN_TITLE = 48

export function asError(error: unknown): MessageError {
  if (error instanceof BackendError) return { code: error.code, message: error.message }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}

export interface ChatHooks {
  /** The list beside the conversation shows the same title, date and count. */
  summaryChanged(summary: ConversationSummary): void
}

export class Chat {
  readonly id: string
  summary: ConversationSummary = $state.raw()!
  messages = $state.raw<Message[]>([])
  leaf = $state<string | null>(null)
  run = $state.raw<Run | null>(null)
  /** Why the last question could not even be stored. */
  problem = $state.raw<MessageError | null>(null)
  readonly context = new ContextMeter(() => this.backend.contextUse(this.id, this.leaf, this.draft.text))
  readonly draft: Draft
  readonly parameters: Parameters
  readonly experts: Choosing
  /** Where the person was reading, kept while other conversations are shown; `null` is the end. */
  reading: { key: string; offset: number } | null = null
  /** The question that was asked here last: it is kept near the upper edge, with room for its answer below. */
  placed = $state<string | null>(null)
  /** The question being rewritten. */
  editing = $state<string | null>(null)

  readonly tree = $derived(buildTree(this.messages))
  readonly rows: Row[] = $derived(branch(this.tree, this.leaf))
  readonly last: Message | null = $derived(this.rows.at(-1)?.message ?? null)

  /** Nothing of it is told to the list any more: it is in the trash. */
  #forgotten = false

  constructor(
    private readonly backend: Backend,
    conversation: Conversation,
    private readonly hooks: ChatHooks,
  ) {
    this.id = conversation.summary.id
    this.summary = conversation.summary
    this.messages = conversation.messages
    this.leaf = conversation.leaf
    this.experts = new Choosing(this.id)
    this.draft = new Draft(
      conversation.draft,
      (text) => backend.saveDraft(this.id, text),
      () => this.context.measure(),
    )
    this.parameters = new Parameters(
      { systemPrompt: conversation.system_prompt, presetId: conversation.preset_id, sampling: conversation.sampling },
      (now) => this.#saveParameters(now),
    )
  }

  /** Asks below the shown branch, those it `mentions` or whoever was chosen. Answers whether the question was stored. */
  send(text: string, mentions: string[] = []): Promise<boolean> {
    return this.#ask(this.rows.at(-1)?.message.id ?? null, text, mentions)
  }

  /** A rewritten question stands beside the old one. */
  async edit(message: Message, text: string, mentions: string[] = []): Promise<boolean> {
    const stored = await this.#ask(message.parent, text, mentions)
    if (stored) this.editing = null
    return stored
  }

  #ask(parent: string | null, text: string, mentions: string[]): Promise<boolean> {
    const experts = this.experts.forMessage(mentions)
    return this.#start((onEvent) => this.backend.ask({ conversation_id: this.id, parent, text, experts }, onEvent))
  }

  /** Another answer stands beside the old one. */
  regenerate(question: string, experts: ExpertChoice = this.experts.choice): Promise<boolean> {
    return this.#start((onEvent) => this.backend.regenerate(this.id, question, experts, onEvent))
  }

  /** Says who should have answered, or takes that back. */
  async label(answer: Message, label: ExpertLabel | null): Promise<void> {
    await this.backend.labelAnswer(answer.id, label)
    const now = this.tree.byId.get(answer.id)
    if (now) this.#replace({ ...now, expert_label: label })
  }

  /** The last answer of the branch once more. */
  regenerateLast(): Promise<boolean> {
    const last = this.last
    if (!last) return Promise.resolve(false)
    const question = last.role === 'user' ? last.id : last.parent
    return question === null ? Promise.resolve(false) : this.regenerate(question)
  }

  /** Resolves once the question is stored (`true`) or refused (`false`); the answer goes on by itself. */
  #start(begin: (onEvent: (event: ChatEvent) => void) => Promise<void>): Promise<boolean> {
    if (this.run) return Promise.resolve(false)
    const run = new Run()
    this.run = run
    this.problem = null
    const began = async (onEvent: (event: ChatEvent) => void) => {
      // The core answers with the parameters it has stored.
      await this.parameters.flush()
      await begin(onEvent)
    }
    return new Promise((resolve) => {
      began((event) => {
        this.#receive(run, event)
        if (event.type === 'stored') resolve(true)
      })
        .then(
          () => this.#ended(run, null),
          (error: unknown) => this.#ended(run, asError(error)),
        )
        .finally(() => resolve(run.answer !== null))
    })
  }

  #receive(run: Run, event: ChatEvent): void {
    if (this.run !== run) return
    switch (event.type) {
      case 'stored':
        run.answer = event.answer.id
        this.messages = [...this.messages, ...(event.question ? [event.question] : []), event.answer]
        this.leaf = event.answer.id
        this.placed = event.answer.parent
        this.reading = null
        this.#nameBy(event.question)
        if (run.stopping) void this.#tellStop(run)
        break
      case 'routed':
        run.routing = { route: event.route, experts: event.experts, verdict: event.verdict }
        break
      case 'loading':
        run.phase = { kind: 'loading', phase: event.phase, done: event.done, total: event.total }
        break
      case 'prefill':
        run.phase = { kind: 'prefill', done: event.done_tokens, total: event.total_tokens }
        break
      case 'token':
        run.append(event.text)
        break
      case 'done':
      case 'failed':
        this.#replace(event.answer)
        this.#close(run)
        this.#setSummary(event.summary)
        break
    }
  }

  /** The first question names the conversation; the core's own name for it arrives with the answer. */
  #nameBy(question: Message | null): void {
    if (this.summary.title || !question) return
    const line = question.content.trim().split('\n')[0]!.trim()
    const title = line.length > MOST_IN_TITLE ? `${line.slice(0, MOST_IN_TITLE).replace(/\s\S*$/, '')}…` : line
    this.#setSummary({ ...this.summary, title, updated_at: question.created_at })
  }

  /** The stream is over. Whatever it did not say is said here, so that no answer stays "running". */
  #ended(run: Run, error: MessageError | null): void {
    if (this.run !== run) return
    const answer = run.answer === null ? undefined : this.tree.byId.get(run.answer)
    if (!answer) this.problem = error ?? { code: 'internal', message: 'the answer ended before it began' }
    else {
      const state = error ? 'failed' : 'interrupted'
      this.#replace({ ...answer, content: run.received, routing: run.routing ?? answer.routing, state, error })
    }
    this.#close(run)
  }

  #close(run: Run): void {
    run.close()
    this.run = null
    this.context.measure()
  }

  #replace(message: Message): void {
    this.messages = this.messages.map((old) => (old.id === message.id ? message : old))
  }

  async stop(): Promise<void> {
    const run = this.run
    if (!run || run.stopping) return
    run.stopping = true
    if (run.answer !== null) await this.#tellStop(run)
  }

  async #tellStop(run: Run): Promise<void> {
    try {
      await this.backend.stop(run.answer!)
    } catch {
      // It goes on: the button must work again.
      run.stopping = false
    }
  }

  /** Turns the pager beside `message`. */
  async turn(message: Message, step: 1 | -1): Promise<void> {
    await this.show(leafOfSibling(this.tree, message, step)?.id ?? null)
  }

  async show(leaf: string | null): Promise<void> {
    if (leaf === null || leaf === this.leaf) return
    this.leaf = leaf
    this.context.measure()
    await this.backend.showBranch(this.id, leaf)
  }

  /** Shows the branch a search found `message` on. */
  async reveal(message: string): Promise<void> {
    if (this.rows.some((row) => row.message.id === message)) return
    await this.show(newestLeaf(this.tree, message)?.id ?? null)
  }

  /** Removes a message with everything below it; what it returns brings it back. */
  async remove(message: Message): Promise<() => Promise<void>> {
    const gone = subtree(this.tree, message.id)
    const removed = this.messages.filter((other) => gone.has(other.id))
    const leafBefore = this.leaf
    const leaf = this.leaf !== null && gone.has(this.leaf) ? leafAfterRemoving(this.tree, message.id) : this.leaf
    await this.backend.trashMessage(this.id, message.id)
    this.messages = this.messages.filter((other) => !gone.has(other.id))
    this.leaf = leaf
    this.context.measure()
    return async () => {
      await this.backend.restoreMessage(this.id, message.id)
      this.messages = [...this.messages, ...removed].sort((a, b) => a.created_at - b.created_at)
      this.leaf = leafBefore
      this.context.measure()
    }
  }

  #setSummary(summary: ConversationSummary): void {
    this.summary = summary
    if (!this.#forgotten) this.hooks.summaryChanged(summary)
  }

  async #saveParameters(now: Parameters): Promise<void> {
    try {
      await this.backend.saveParameters(this.id, now.systemPrompt, now.presetId, now.sampling)
      this.context.measure()
    } catch (error) {
      this.problem = asError(error)
    }
  }

  forget(): void {
    this.#forgotten = true
    void this.stop()
  }

  /** Whether an answer is said to be in the making, and nobody here is told of it. */
  get stale(): boolean {
    return !this.run && this.messages.some((message) => message.state === 'running')
  }

  /** Reads the messages again. */
  async refresh(): Promise<void> {
    const { messages, leaf } = await this.backend.openConversation(this.id)
    if (this.run) return
    this.messages = messages
    if (this.leaf === null || !messages.some((message) => message.id === this.leaf)) this.leaf = leaf
  }

  /** Before another conversation is shown, and before the window closes. */
  async leave(): Promise<void> {
    await this.parameters.flush()
    await this.draft.flush()
  }
}
