// "I have an expert": files and folders from this computer.

import type { App } from '$lib/state/app.svelte'
import { namesIn } from './names'

/** `id`: the expert it is to be; else its files say so. */
export async function addFile(app: App, id: string | null = null): Promise<void> {
  await add(app, id, () => app.backend.pickFile(app.i18n.t('experts.pickFile'), ['r3mes-expert']))
}

export async function addFolder(app: App, id: string | null = null): Promise<void> {
  await add(app, id, () => app.backend.pickFolder(app.i18n.t('experts.pickFolder')))
}

export async function addPaths(app: App, paths: string[], id: string | null = null): Promise<void> {
  for (const { expert_id } of await app.experts.add(paths, id)) {
    app.toasts.show({ text: app.i18n.t('experts.added', { expert: namesIn(app)(expert_id) }), tone: 'ok' })
  }
}

async function add(app: App, id: string | null, pick: () => Promise<string | null>): Promise<void> {
  try {
    const path = await pick()
    if (path !== null) await addPaths(app, [path], id)
  } catch (error) {
    app.report(error)
  }
}
