// `@medical` in a message: found while it is typed, and taken out of it when it is sent.

import type { ExpertEntry } from '../api/types'
import { en } from '../i18n/en'
import { fieldOf } from '../i18n/expertWords'
import { tr } from '../i18n/tr'

export interface Mention {
  /** Where the `@` stands. */
  start: number
  end: number
  /** What follows it, up to the caret. */
  query: string
}

const MOST = 3
const WORD = /(^|\s)@([\p{L}\p{N}_-]*)/gu

/** Letters as people compare them, whichever language they write in: `TIP`, `tıp` and `tip` are one. */
export function plain(text: string): string {
  return text
    .replace(/[İIı]/g, 'i')
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
}

/** Everything an expert answers to: its id, its field in both languages, the name it was given. */
export function callNames(expert: ExpertEntry): string[] {
  const field = fieldOf(expert.expert_id)
  const names = field
    ? [field, en[`experts.name.${field}`], tr[`experts.name.${field}`], expert.expert_id]
    : [expert.expert_id, expert.name.replace(/\s+/g, '-')]
  return [...new Set(names.map(plain))]
}

/** The mention that the caret stands in. */
export function mentionAt(text: string, caret: number): Mention | null {
  for (const match of text.matchAll(WORD)) {
    const start = match.index + match[1]!.length
    const end = start + 1 + match[2]!.length
    if (caret > start && caret <= end) return { start, end, query: text.slice(start + 1, caret) }
  }
  return null
}

/** Those whose names begin as the mention does; those that can answer first. */
export function completions(mention: Mention, experts: readonly ExpertEntry[]): ExpertEntry[] {
  const query = plain(mention.query)
  const found = experts.filter((expert) => callNames(expert).some((name) => name.startsWith(query)))
  const able = (expert: ExpertEntry) => (expert.registered && !expert.error ? 0 : 1)
  return [...found].sort((a, b) => able(a) - able(b))
}

/** The text without the experts it addresses, and who they are. What names nobody stays as it is. */
export function takeMentions(text: string, experts: readonly ExpertEntry[]): { text: string; ids: string[] } {
  const ids: string[] = []
  const rest = text.replace(WORD, (whole, before: string, word: string) => {
    const named = plain(word)
    const expert = named ? experts.find((one) => callNames(one).includes(named)) : undefined
    if (!expert || (ids.length >= MOST && !ids.includes(expert.expert_id))) return whole
    if (!ids.includes(expert.expert_id)) ids.push(expert.expert_id)
    return before
  })
  return { text: ids.length > 0 ? rest.replace(/[ \t]{2,}/g, ' ').trim() : text, ids }
}
