// How words are chosen where nobody chose otherwise; the same numbers as the core's.

import type { AppSettings } from '../api/types'

export const SAMPLING_DEFAULTS = {
  temperature: 0.7,
  top_p: 0.9,
  top_k: 40,
  min_p: 0,
  repetition_penalty: 1.1,
  max_tokens: 512,
} as const satisfies Partial<AppSettings>
