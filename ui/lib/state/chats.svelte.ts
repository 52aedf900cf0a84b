// The conversations that are open. One whose answer is still being made stays, whatever is shown meanwhile.

import { SvelteMap } from 'svelte/reactivity'
import type { Backend } from '../api/backend'
import type { Preset } from '../api/types'
import { Chat, type ChatHooks } from './chat.svelte'
import { Draft } from './chatDraft.svelte'
import { Choosing } from './chatExperts.svelte'
import { NO_SAMPLING, Parameters } from './chatParameters.svelte'

/** Kept beside the running ones, so that going back and forth needs no reading. */
const MOST_IDLE = 6
const NEW_DRAFT_KEY = 'r3mes.newChatDraft'

export class Chats {
  presets = $state.raw<Preset[]>([])
  /** What is typed where no conversation exists yet. */
  readonly newDraft: Draft
  /** What was chosen for a conversation that does not exist yet. */
  newParameters: Parameters = $state.raw(unsaved())
  newExperts: Choosing = $state.raw(new Choosing(null))
  #open = new SvelteMap<string, Chat>()
  #opening = new Map<string, Promise<Chat>>()

  constructor(
    readonly backend: Backend,
    private readonly hooks: ChatHooks,
    presets: Preset[] = [],
  ) {
    this.presets = presets
    this.newDraft = new Draft(readNewDraft(), async (text) => writeNewDraft(text))
  }

  /** Something changed in the core: an answer that somebody else began may have ended. */
  refresh(): void {
    for (const chat of this.#open.values()) if (chat.stale) chat.refresh().catch(() => {})
  }

  /** Conversations an answer is being made in. */
  get running(): string[] {
    return [...this.#open.values()].filter((chat) => chat.run).map((chat) => chat.id)
  }

  get(id: string): Chat | undefined {
    return this.#open.get(id)
  }

  async open(id: string): Promise<Chat> {
    const open = this.#open.get(id)
    if (open) {
      // Last used, last out.
      this.#open.delete(id)
      this.#open.set(id, open)
      return open
    }
    const opening = this.#opening.get(id) ?? this.#read(id)
    this.#opening.set(id, opening)
    try {
      return await opening
    } finally {
      this.#opening.delete(id)
    }
  }

  async #read(id: string): Promise<Chat> {
    const chat = new Chat(this.backend, await this.backend.openConversation(id), this.hooks)
    this.#open.set(id, chat)
    this.#shrink(id)
    return chat
  }

  /** A first question makes its conversation. */
  async create(): Promise<Chat> {
    const summary = await this.backend.createConversation()
    this.hooks.summaryChanged(summary)
    const chat = await this.open(summary.id)
    const { systemPrompt, presetId, sampling } = this.newParameters
    if (systemPrompt || this.newParameters.differs) chat.parameters.set({ systemPrompt, presetId, sampling })
    this.newParameters = unsaved()
    chat.experts.choice = this.newExperts.choice
    this.newExperts = new Choosing(null)
    return chat
  }

  /** It went to the trash, or changed elsewhere. */
  forget(id: string): void {
    this.#open.get(id)?.forget()
    this.#open.delete(id)
  }

  #shrink(shown: string): void {
    const idle = [...this.#open.values()].filter((chat) => !chat.run && chat.id !== shown)
    for (const chat of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) {
      void chat.leave()
      this.#open.delete(chat.id)
    }
  }

  async leaveAll(): Promise<void> {
    await Promise.all([this.newDraft.flush(), ...[...this.#open.values()].map((chat) => chat.leave())])
  }

  async savePreset(preset: Preset): Promise<Preset> {
    const saved = await this.backend.savePreset(preset)
    const others = this.presets.filter((other) => other.id !== saved.id)
    this.presets = [...others, saved].sort((a, b) => a.name.localeCompare(b.name))
    return saved
  }

  async deletePreset(id: string): Promise<void> {
    await this.backend.deletePreset(id)
    this.presets = this.presets.filter((preset) => preset.id !== id)
  }
}

function unsaved(): Parameters {
  return new Parameters({ systemPrompt: '', presetId: null, sampling: NO_SAMPLING }, async () => {})
}

// A private window or a full disk must not keep anybody from typing.
function readNewDraft(): string {
  try {
    return localStorage.getItem(NEW_DRAFT_KEY) ?? ''
  } catch {
    return ''
  }
}

function writeNewDraft(text: string): void {
  try {
    if (text) localStorage.setItem(NEW_DRAFT_KEY, text)
    else localStorage.removeItem(NEW_DRAFT_KEY)
  } catch {
    return
  }
}
