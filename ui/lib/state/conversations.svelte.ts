// The list of conversations: its groups, and what a person does to one of them.

import type { Backend } from '../api/backend'
import type { ConversationSummary, SearchHit } from '../api/types'
import type { DateGroup, I18n } from '../i18n'
import type { Toasts } from './toasts.svelte'

export type GroupName = 'pinned' | DateGroup

export interface Group {
  name: GroupName
  conversations: ConversationSummary[]
}

export interface ConversationHooks {
  /** It is in the trash: nothing shows it any more. */
  gone(id: string): void
  /** It came back and is shown again, if it was. */
  back(id: string): void
  failed(error: unknown): void
}

const ORDER: GroupName[] = ['pinned', 'today', 'yesterday', 'week', 'older']

export class Conversations {
  list = $state.raw<ConversationSummary[]>([])
  trash = $state.raw<ConversationSummary[]>([])
  renaming = $state<string | null>(null)
  /** Moves on with the clock, so that "today" stays today. */
  now = $state(Date.now())

  readonly groups: Group[] = $derived.by(() => grouped(this.list, this.now, this.i18n))

  constructor(
    private readonly backend: Backend,
    private readonly i18n: I18n,
    private readonly toasts: Toasts,
    private readonly hooks: ConversationHooks,
    list: ConversationSummary[],
  ) {
    this.list = list
  }

  get(id: string): ConversationSummary | undefined {
    return this.list.find((summary) => summary.id === id)
  }

  title(summary: ConversationSummary): string {
    return summary.title || this.i18n.t('frame.untitled')
  }

  async refresh(): Promise<void> {
    this.list = await this.backend.listConversations()
  }

  /** One that is new or has changed. */
  put = (summary: ConversationSummary): void => {
    this.list = [summary, ...this.list.filter((other) => other.id !== summary.id)]
  }

  async rename(id: string, title: string): Promise<void> {
    const before = this.get(id)
    this.renaming = null
    const wanted = title.trim()
    if (!before || !wanted || wanted === before.title) return
    await this.#change(before, { ...before, title: wanted }, () => this.backend.renameConversation(id, wanted))
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    const before = this.get(id)
    if (!before || before.pinned === pinned) return
    await this.#change(before, { ...before, pinned }, () => this.backend.pinConversation(id, pinned))
  }

  /** Into the trash, with a way back. */
  async remove(id: string): Promise<void> {
    const summary = this.get(id)
    if (!summary) return
    this.list = this.list.filter((other) => other.id !== id)
    try {
      await this.backend.trashConversation(id)
    } catch (error) {
      this.put(summary)
      this.hooks.failed(error)
      return
    }
    this.hooks.gone(id)
    this.toasts.show({
      text: this.i18n.t('frame.removed', { title: this.title(summary) }),
      action: { label: this.i18n.t('frame.undo'), run: () => void this.restore(summary) },
    })
  }

  async restore(summary: ConversationSummary): Promise<void> {
    try {
      await this.backend.restoreConversation(summary.id)
      this.trash = this.trash.filter((other) => other.id !== summary.id)
      await this.refresh()
      this.hooks.back(summary.id)
    } catch (error) {
      this.hooks.failed(error)
    }
  }

  async readTrash(): Promise<void> {
    this.trash = await this.backend.listTrash()
  }

  async emptyTrash(): Promise<number> {
    const removed = await this.backend.emptyTrash()
    this.trash = []
    return removed
  }

  search(query: string): Promise<SearchHit[]> {
    return query.trim() ? this.backend.searchMessages(query.trim()) : Promise.resolve([])
  }

  /** Shown at once; taken back when the core refuses. */
  async #change(before: ConversationSummary, after: ConversationSummary, save: () => Promise<void>): Promise<void> {
    this.#replace(after)
    try {
      await save()
    } catch (error) {
      this.#replace(before)
      this.hooks.failed(error)
    }
  }

  #replace(summary: ConversationSummary): void {
    this.list = this.list.map((other) => (other.id === summary.id ? summary : other))
  }
}

export function grouped(list: readonly ConversationSummary[], now: number, i18n: I18n): Group[] {
  const groups = new Map<GroupName, ConversationSummary[]>(ORDER.map((name) => [name, []]))
  for (const summary of [...list].sort((a, b) => b.updated_at - a.updated_at)) {
    groups.get(summary.pinned ? 'pinned' : i18n.dateGroup(summary.updated_at, now))!.push(summary)
  }
  return [...groups].filter(([, all]) => all.length > 0).map(([name, conversations]) => ({ name, conversations }))
}
