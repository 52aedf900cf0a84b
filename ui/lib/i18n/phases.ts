// The core names its phases in English words; those it is known to use have words in every language.

import { expertName } from './expertWords'
import type { I18n, PlainKey } from './i18n.svelte'

const PHASES: Record<string, PlainKey> = {
  start: 'phase.start',
  "reading the model's headers": 'phase.headers',
  'packing the weights': 'phase.packing',
  'keeping the packed weights': 'phase.keeping',
  'reading the weights': 'phase.weights',
  'reading the tokenizer': 'phase.tokenizer',
}

export function phaseInWords(i18n: I18n, phase: string): string {
  const expert = /^bringing `(.+)` from disk$/.exec(phase)?.[1]
  if (expert) return i18n.t('phase.expert', { expert: expertName(i18n, expert) })
  const key = PHASES[phase]
  return key ? i18n.t(key) : phase
}
