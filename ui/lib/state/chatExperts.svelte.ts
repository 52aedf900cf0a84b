// Who is to answer in a conversation: the router's choice, somebody chosen, or nobody but the base model.

import type { ExpertChoice } from '../api/types'

const AUTO: ExpertChoice = { mode: 'auto' }
const KEY = 'r3mes.experts.'

export class Choosing {
  #choice = $state.raw<ExpertChoice>(AUTO)

  /** `id`: of the conversation, under which the choice outlives the window; none for a conversation to come. */
  constructor(private readonly id: string | null) {
    if (id !== null) this.#choice = read(id)
  }

  get choice(): ExpertChoice {
    return this.#choice
  }

  set choice(choice: ExpertChoice) {
    this.#choice = choice
    if (this.id === null) return
    try {
      if (choice.mode === 'auto') localStorage.removeItem(KEY + this.id)
      else localStorage.setItem(KEY + this.id, JSON.stringify(choice))
    } catch {
      // Without storage the choice lasts as long as the window.
    }
  }

  /** The one who was chosen; `null` where the router or the base model answers. */
  get pinned(): string | null {
    return this.#choice.mode === 'pinned' ? (this.#choice.ids[0] ?? null) : null
  }

  /** For one message: those it addresses, else what holds for all. */
  forMessage(mentioned: string[]): ExpertChoice {
    return mentioned.length > 0 ? { mode: 'pinned', ids: mentioned } : this.#choice
  }
}

function read(id: string): ExpertChoice {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY + id) ?? 'null')
    return isChoice(kept) ? kept : AUTO
  } catch {
    return AUTO
  }
}

function isChoice(value: unknown): value is ExpertChoice {
  if (typeof value !== 'object' || value === null || !('mode' in value)) return false
  if (value.mode === 'pinned') return 'ids' in value && Array.isArray(value.ids) && value.ids.length > 0
  return value.mode === 'auto' || value.mode === 'base'
}
