// An error in the words of the window. The core writes exact English; other languages get a sentence of their own in front.

import { en } from './en'
import type { I18n } from './i18n.svelte'

export interface FailureWords {
  /** What went wrong. */
  text: string
  /** The core's own words, where `text` does not have them. */
  detail: string | null
  /** The next step. */
  hint: string | null
}

type CodeKey = Exclude<keyof typeof en & `errors.${string}`, 'errors.detail'>

export function failureWords(i18n: I18n, error: unknown): FailureWords {
  const [message, hint] = parts(messageOf(error))
  // Hints about commands and their flags are for the terminal.
  const forWindow = hint && !/`(r3mes |--)/.test(hint) ? sentence(hint) : null
  if (i18n.locale === 'en') return { text: sentence(message) || i18n.t('errors.failed'), detail: null, hint: forWindow }
  return {
    text: i18n.t(keyOf(error)),
    detail: message ? i18n.t('errors.detail', { detail: sentence(message) }) : null,
    hint: null,
  }
}

/** A reason of the core where the window has said already what is wrong: marked as English in other languages. */
export function reasonInWords(i18n: I18n, reason: string): string {
  const [message] = parts(reason)
  return i18n.locale === 'en' ? sentence(message) : i18n.t('errors.detail', { detail: sentence(message) })
}

/** The same in one line, for places that have no more. */
export function failureLine(i18n: I18n, error: unknown): string {
  const { text, detail } = failureWords(i18n, error)
  return detail ? `${text} ${detail}` : text
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message)
  return String(error)
}

function keyOf(error: unknown): CodeKey {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'failed'
  const key = `errors.${code}`
  return code !== 'detail' && Object.hasOwn(en, key) ? (key as CodeKey) : 'errors.failed'
}

/** The core ends an error with a line `hint: …` where it knows the next step. */
function parts(whole: string): [message: string, hint: string | null] {
  const at = whole.search(/(?:^|\n)hint: /)
  if (at < 0) return [whole.trim(), null]
  return [whole.slice(0, at).trim(), whole.slice(at).replace(/^\s*hint: /, '')]
}

/** The core writes errors without a capital and a full stop, and names as code is quoted. */
function sentence(text: string): string {
  const trimmed = text.trim().replace(/`([^`]*)`/g, '“$1”')
  if (!trimmed) return ''
  return trimmed[0]!.toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? '' : '.')
}
