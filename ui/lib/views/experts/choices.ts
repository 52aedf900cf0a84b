// Everybody who can be asked, as entries of a menu.

import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import Route from '@lucide/svelte/icons/route'
import type { MenuEntry } from '$lib/components/menu'
import type { ExpertChoice, ExpertEntry } from '$lib/api/types'
import type { App } from '$lib/state/app.svelte'
import { stateOf } from '$lib/state/experts.svelte'
import { iconOf } from './icons'
import { namesIn } from './names'

export function same(a: ExpertChoice, b: ExpertChoice): boolean {
  if (a.mode !== 'pinned' || b.mode !== 'pinned') return a.mode === b.mode
  return a.ids.join() === b.ids.join()
}

/** `now` is checked; without it nothing is. Experts that cannot answer are listed and say why. */
export function choiceEntries(app: App, now: ExpertChoice | null, choose: (choice: ExpertChoice) => void): MenuEntry[] {
  const { t } = app.i18n
  const entry = (choice: ExpertChoice) => ({
    checked: now ? same(choice, now) : undefined,
    run: () => choose(choice),
  })
  const auto: ExpertChoice = { mode: 'auto' }
  const base: ExpertChoice = { mode: 'base' }
  const all = app.experts.list ?? []
  const able = all.filter((one) => one.registered && !one.error)
  const rest = all.filter((one) => !able.includes(one))
  return [
    { label: t('why.auto'), note: t('why.autoNote'), icon: Route, ...entry(auto) },
    { label: t('experts.base'), note: t('why.baseNote'), icon: CircleDashed, ...entry(base) },
    ...(all.length > 0 ? [{ kind: 'line' } as const] : []),
    ...[...able, ...rest].map((one) => ({
      ...expertEntry(app, one),
      ...entry({ mode: 'pinned', ids: [one.expert_id] }),
    })),
  ]
}

function expertEntry(app: App, one: ExpertEntry) {
  const { t } = app.i18n
  const state = stateOf(one)
  return {
    label: namesIn(app)(one.expert_id),
    icon: iconOf(one.expert_id),
    note: state === 'missing' ? t('why.notInstalled') : state === 'broken' ? t('why.broken') : undefined,
    disabled: state === 'missing' || state === 'broken',
  }
}
