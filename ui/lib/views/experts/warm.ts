// Everything into memory that the next question may need.

import type { App } from '$lib/state/app.svelte'
import { droppedInWords } from '$lib/i18n/expertWords'
import { namesIn } from './names'

/** The most used first, as many as fit: what would only push another out stays on disk. */
export function worthLoading(app: App): string[] {
  const room = app.experts.tiers
    .filter((tier) => tier.present && tier.tier !== 'disk')
    .reduce((sum, tier) => sum + Math.max(0, tier.budget_bytes - tier.used_bytes), 0)
  const waiting = app.experts.usable
    .filter((one) => one.tier === 'disk' || one.tier === null)
    .sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.hits + b.misses - (a.hits + a.misses))
  let left = room
  return waiting.flatMap((one) => {
    const need = one.resident_bytes ?? 0
    if (need > left) return []
    left -= need
    return [one.expert_id]
  })
}

export async function warmUp(app: App): Promise<void> {
  const { t } = app.i18n
  if (!app.models.loaded && !(await app.models.warm())) return
  const ids = worthLoading(app)
  const reports = ids.length > 0 ? await app.experts.preload(ids) : []
  const wrong = reports.filter((report) => report.error)
  const name = namesIn(app)
  if (wrong.length > 0) {
    const lines = wrong.map((one) => `${name(one.expert_id)}: ${droppedInWords(app.i18n, one.error!)}`)
    app.toasts.show({
      text: [t('experts.warmedSome', { count: wrong.length }), ...lines].join('\n'),
      tone: 'danger',
      ms: 12_000,
    })
  } else if (reports.length === ids.length) {
    const ready = app.experts.usable.filter((one) => one.tier === 'ram' || one.tier === 'vram').length
    app.toasts.show({ text: t('experts.warmed', { count: ready }), tone: 'ok' })
  }
}

/** One expert, with a word on how long it took or why it did not work. */
export async function load(app: App, id: string): Promise<void> {
  const { i18n } = app
  const expert = namesIn(app)(id)
  for (const report of await app.experts.preload([id])) {
    if (report.error) {
      app.toasts.show({ text: `${expert}: ${droppedInWords(i18n, report.error)}`, tone: 'danger', ms: 12_000 })
    } else {
      app.toasts.show({ text: i18n.t('experts.loaded', { expert, time: i18n.duration(report.ms) }), tone: 'ok' })
    }
  }
}
