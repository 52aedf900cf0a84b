// The list that opens under `@`: who is offered, and which of them is chosen.

import type { ExpertEntry } from '../api/types'
import { completions, mentionAt, type Mention } from './mentions'

export class Mentioning {
  #mention = $state.raw<Mention | null>(null)
  #at = $state(0)
  /** Where Escape closed the list; it stays closed for that mention. */
  #closed: number | null = null

  constructor(private readonly experts: () => readonly ExpertEntry[]) {}

  readonly options: ExpertEntry[] = $derived.by(() => (this.#mention ? completions(this.#mention, this.experts()) : []))
  readonly open: boolean = $derived(this.options.length > 0)
  readonly chosen: number = $derived(Math.min(this.#at, this.options.length - 1))

  /** After every change of the text or the caret. */
  look(text: string, caret: number): void {
    const mention = mentionAt(text, caret)
    if (mention?.start !== this.#closed) this.#closed = null
    const next = mention && mention.start === this.#closed ? null : mention
    if (next?.query !== this.#mention?.query) this.#at = 0
    this.#mention = next
  }

  move(step: 1 | -1): void {
    this.#at = (this.chosen + step + this.options.length) % this.options.length
  }

  point(index: number): void {
    this.#at = index
  }

  close(): void {
    this.#closed = this.#mention?.start ?? null
    this.#mention = null
  }

  /** The text with the mention completed, and where the caret goes. */
  complete(text: string, name: string): { text: string; caret: number } | null {
    const mention = this.#mention
    if (!mention) return null
    const word = `@${name} `
    this.#mention = null
    return {
      text: text.slice(0, mention.start) + word + text.slice(mention.end).replace(/^ /, ''),
      caret: mention.start + word.length,
    }
  }
}
