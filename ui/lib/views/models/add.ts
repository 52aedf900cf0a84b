// "I already have a model": a file or a folder from this computer.

import type { I18n } from '$lib/i18n'
import type { App } from '$lib/state/app.svelte'

export async function addFile(app: App, t: I18n['t']): Promise<boolean> {
  return add(app, () => app.backend.pickFile(t('models.pickFile'), ['gguf', 'safetensors']))
}

export async function addFolder(app: App, t: I18n['t']): Promise<boolean> {
  return add(app, () => app.backend.pickFolder(t('models.pickFolder')))
}

async function add(app: App, pick: () => Promise<string | null>): Promise<boolean> {
  try {
    const path = await pick()
    return path !== null && (await app.models.import(path))
  } catch (error) {
    app.report(error)
    return false
  }
}
