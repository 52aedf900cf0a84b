// What a person does with everything they have made: keep a copy, take it back, hand it on.

import type { Backend } from '../api/backend'
import type { I18n } from '../i18n'
import type { Toasts } from './toasts.svelte'

export interface DataHost {
  backend: Backend
  i18n: I18n
  toasts: Toasts
  report: (error: unknown) => void
}

export async function backUp({ backend, i18n, toasts, report }: DataHost, day: string): Promise<void> {
  const { t } = i18n
  await tried(report, async () => {
    const path = await backend.pickSave(t('settings.backupTitle'), `r3mes-backup-${day}.zip`)
    if (path === null) return
    const size = await backend.backup(path)
    toasts.show({ text: t('settings.backupDone', { size: i18n.bytes(size) }), tone: 'ok' })
  })
}

export async function exportAll({ backend, i18n: { t }, toasts, report }: DataHost, day: string): Promise<void> {
  await tried(report, async () => {
    const path = await backend.pickSave(t('settings.exportTitle'), `r3mes-${day}.json`)
    if (path === null) return
    await backend.exportEverything(path)
    toasts.show({ text: t('settings.exportDone'), tone: 'ok' })
  })
}

export async function importSome({ backend, i18n: { t }, toasts, report }: DataHost): Promise<void> {
  await tried(report, async () => {
    const path = await backend.pickFile(t('settings.importTitle'), ['json'])
    if (path === null) return
    const { length } = await backend.importConversations(path)
    toasts.show({ text: t('settings.importDone', { count: length }), tone: 'ok' })
  })
}

export async function saveDiagnostics({ backend, i18n: { t }, toasts, report }: DataHost, day: string): Promise<void> {
  await tried(report, async () => {
    const path = await backend.pickSave(t('settings.diagnosticsTitle'), `r3mes-diagnostics-${day}.zip`)
    if (path === null) return
    await backend.diagnostics(path)
    toasts.show({ text: t('settings.diagnosticsDone'), tone: 'ok' })
  })
}

export async function tried(report: (error: unknown) => void, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    report(error)
  }
}

/** For file names: "2026-03-09", by the calendar of this place. */
export function dayOf(ms: number): string {
  const at = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** The last part of a path, on every system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path
}
