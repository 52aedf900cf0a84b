// Why these experts, as sentences. Made from the numbers, so that every language has them.

import type { Routing } from '$lib/api/types'
import type { I18n } from '$lib/i18n'
import { keptAgainst, whoAnswers } from '$lib/state/routing'

type Naming = (id: string | null) => string

export function becauseInWords(i18n: I18n, routing: Routing, name: Naming): string {
  const { route } = routing
  const wanted = whoAnswers(routing).map((one) => one.id)
  const ids = wanted.length > 0 ? wanted : route.candidates.map((one) => one.expert_id)
  const expert = new Intl.ListFormat(i18n.locale, { type: 'conjunction' }).format(ids.map(name))
  const { reason } = route
  if (reason === 'none' || reason === 'fallback' || reason === 'rejected') return i18n.t(`why.because.${reason}`)
  return i18n.t(`why.because.${reason}`, { expert })
}

/** The numbers behind staying with an expert. */
export function keptInWords(i18n: I18n, routing: Routing, name: Naming): string | null {
  const against = keptAgainst(routing)
  if (!against) return null
  const { kept, best } = against
  return i18n.t('why.keptNumbers', {
    kept: name(kept.expert_id),
    keptScore: i18n.number(kept.fused, 2),
    best: name(best.expert_id),
    bestScore: i18n.number(best.fused, 2),
  })
}
