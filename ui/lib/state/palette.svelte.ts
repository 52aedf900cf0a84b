// What the palette finds: commands and titles at once, messages a moment later from the core.

import type { ConversationSummary, SearchHit } from '../api/types'
import type { I18n } from '../i18n'

export interface Command {
  id: string
  label: string
  keys?: string
  run: () => void
}

export interface Segment {
  text: string
  marked: boolean
}

const WAIT_MS = 120
const MOST_CONVERSATIONS = 6
const MOST_MESSAGES = 30
const NO_WORD = /[\s\p{P}\p{S}]+/u

/** Texts cut at the marks, for drawing without any markup in the text itself. */
export function segments(text: string, marks: readonly [number, number][]): Segment[] {
  const parts: Segment[] = []
  let at = 0
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(start, at)
    if (end <= from) continue
    if (from > at) parts.push({ text: text.slice(at, from), marked: false })
    parts.push({ text: text.slice(from, end), marked: true })
    at = Math.min(end, text.length)
  }
  if (at < text.length) parts.push({ text: text.slice(at), marked: false })
  return parts
}

export class PaletteSearch {
  query = $state('')
  hits = $state.raw<SearchHit[]>([])
  searching = $state(false)
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  constructor(
    private readonly search: (query: string) => Promise<SearchHit[]>,
    private readonly i18n: I18n,
    private readonly failed: (error: unknown) => void,
  ) {}

  type(query: string): void {
    this.query = query
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    if (!query.trim()) {
      this.hits = []
      this.searching = false
      return
    }
    this.searching = true
    this.#timer = setTimeout(() => {
      this.search(query).then(
        (hits) => {
          if (asked !== this.#asked) return
          this.hits = hits.filter((hit) => hit.message_id !== null).slice(0, MOST_MESSAGES)
          this.searching = false
        },
        (error) => {
          if (asked !== this.#asked) return
          this.searching = false
          this.failed(error)
        },
      )
    }, WAIT_MS)
  }

  /** Every word of the query begins some word of the text, in the interface's own letters. */
  matches(text: string): boolean {
    const words = this.#words(text)
    const asked = this.#words(this.query)
    if (asked.length === 0) return text.includes(this.query.trim())
    return asked.every((part) => words.some((word) => word.startsWith(part)))
  }

  #words(text: string): string[] {
    return this.i18n.fold(text).split(NO_WORD).filter(Boolean)
  }

  commands(all: readonly Command[]): Command[] {
    return this.query.trim() ? all.filter((command) => this.matches(command.label)) : [...all]
  }

  conversations(all: readonly ConversationSummary[]): ConversationSummary[] {
    const newest = [...all].sort((a, b) => b.updated_at - a.updated_at)
    const found = this.query.trim() ? newest.filter((one) => this.matches(one.title)) : newest
    return found.slice(0, MOST_CONVERSATIONS)
  }
}
