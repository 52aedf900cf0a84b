// How an answer came, as rows of a name and a value.

import type { Message } from '$lib/api/types'
import type { I18n } from '$lib/i18n'

const ENDS = { stop: 'chat.endStop', length: 'chat.endLength', cancelled: 'chat.endCancelled' } as const

export function speedInWords({ t, number }: I18n, rate: number): string {
  return t('chat.tokensPerSecond', { rate: number(rate, rate < 100 ? 1 : 0) })
}

export function statRows(i18n: I18n, message: Message): [name: string, value: string][] {
  const { t, number, duration } = i18n
  const { metrics } = message
  if (!metrics) return []
  const rows: [string, string][] = []
  if (message.model) rows.push([t('chat.statModel'), message.model])
  rows.push([
    t('chat.statPrompt'),
    metrics.cached_tokens > 0
      ? t('chat.statPromptValue', { tokens: number(metrics.prompt_tokens), cached: number(metrics.cached_tokens) })
      : t('chat.tokens', { count: metrics.prompt_tokens }),
  ])
  rows.push([t('chat.statAnswer'), t('chat.tokens', { count: metrics.completion_tokens })])
  if (metrics.prefill_tokens_per_second > 0)
    rows.push([t('chat.statPrefill'), speedInWords(i18n, metrics.prefill_tokens_per_second)])
  if (metrics.decode_tokens_per_second > 0)
    rows.push([t('chat.statDecode'), speedInWords(i18n, metrics.decode_tokens_per_second)])
  if (metrics.loading_time_ms > 0) rows.push([t('chat.statLoading'), duration(metrics.loading_time_ms)])
  if (metrics.completion_tokens > 0) rows.push([t('chat.statFirst'), duration(metrics.time_to_first_token_ms)])
  rows.push([t('chat.statTotal'), duration(metrics.total_time_ms)])
  if (message.finish_reason) rows.push([t('chat.statEnd'), t(ENDS[message.finish_reason])])
  if (message.seed) rows.push([t('chat.statSeed'), message.seed])
  return rows
}
