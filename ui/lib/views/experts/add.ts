// "I have an expert": files and folders from this computer.

import type { App } from '$lib/state/app.svelte'
import { namesIn } from './names'

export async function addFile(app: App): Promise<void> {
  await add(app, () => app.backend.pickFile(app.i18n.t('experts.pickFile'), ['r3mes-expert']))
}

export async function addFolder(app: App): Promise<void> {
  await add(app, () => app.backend.pickFolder(app.i18n.t('experts.pickFolder')))
}

export async function addPaths(app: App, paths: string[]): Promise<void> {
  for (const { expert_id } of await app.experts.add(paths)) {
    app.toasts.show({ text: app.i18n.t('experts.added', { expert: namesIn(app)(expert_id) }), tone: 'ok' })
  }
}

async function add(app: App, pick: () => Promise<string | null>): Promise<void> {
  try {
    const path = await pick()
    if (path !== null) await addPaths(app, [path])
  } catch (error) {
    app.report(error)
  }
}
