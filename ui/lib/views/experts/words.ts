// What is known of an expert, as short words for its row.

import type { EvaluationFigure, ExpertEntry } from '$lib/api/types'
import type { I18n } from '$lib/i18n'
import { fieldOf } from '$lib/i18n/expertWords'
import type { ExpertState } from '$lib/state/experts.svelte'

export type Tone = 'plain' | 'accent' | 'ok' | 'warn' | 'danger'

export const TONES: Record<ExpertState, Tone> = {
  vram: 'accent',
  ram: 'ok',
  disk: 'plain',
  missing: 'plain',
  broken: 'danger',
}

export function aboutOf({ t }: I18n, expert: ExpertEntry): string {
  const field = fieldOf(expert.expert_id)
  return field ? t(`experts.about.${field}`) : expert.description
}

export function factsOf({ t, bytes }: I18n, expert: ExpertEntry): string[] {
  const facts = [t('experts.size', { size: bytes(expert.size_bytes) })]
  if (expert.resident_bytes) facts.push(t('experts.resident', { size: bytes(expert.resident_bytes) }))
  if (expert.kind && expert.rank) facts.push(t(`experts.kind.${expert.kind}`, { rank: expert.rank }))
  facts.push(expert.licence ?? t('experts.licenceUnknown'))
  if (!expert.error) {
    facts.push(expert.examples > 0 ? t('experts.examples', { count: expert.examples }) : t('experts.noExamples'))
  }
  return facts
}

export function usageOf({ t, number, shortDate }: I18n, expert: ExpertEntry): string[] {
  const total = expert.hits + expert.misses
  if (expert.last_used_ms === null || total === 0) return [t('experts.unused')]
  return [
    t('experts.usedAt', { time: shortDate(expert.last_used_ms) }),
    t('experts.hitRate', { hits: number(expert.hits), total: number(total) }),
  ]
}

export function beats({ base, expert, lower_is_better }: EvaluationFigure): boolean {
  return lower_is_better ? expert < base : expert > base
}

export function figureInWords({ t, decimal }: I18n, figure: EvaluationFigure): string {
  const known = figure.name === 'perplexity' || figure.name === 'accuracy'
  return t(beats(figure) ? 'experts.better' : 'experts.worse', {
    name: known ? t(`experts.figure.${figure.name as 'perplexity' | 'accuracy'}`) : figure.name,
    expert: decimal(figure.expert, 2),
    base: decimal(figure.base, 2),
  })
}
