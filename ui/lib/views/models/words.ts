// How models and what runs them are called on the screen.

import type { ModelEntry } from '$lib/api/types'
import type { I18n } from '$lib/i18n'

/** `cpu · avx512-vnni` as "CPU · AVX512-VNNI". */
export function backendInWords(backend: string): string {
  return backend
    .split('·')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => part.toUpperCase())
    .join(' · ')
}

/** The built-in model has no name of its own. */
export function modelInWords(model: Pick<ModelEntry, 'name' | 'built_in'>, t: I18n['t']): string {
  return model.built_in ? t('models.builtInName') : shortName(model.name)
}

/** A model that was given by its path is called by its file or folder. */
export function shortName(name: string): string {
  return /^([/\\~.]|[A-Za-z]:)/.test(name) ? (name.split(/[/\\]/).findLast(Boolean) ?? name) : name
}

/** Where a model came from, as a person knows the place: its repository, or a path. */
export function sourceInWords(source: string): string {
  return source.replace(/^(hub|file|folder|path):/, '')
}

/** A file of a person's own, which removing the model leaves where it is. */
export function isOwnFile(model: ModelEntry): boolean {
  return !model.built_in && !model.source.startsWith('hub:')
}

export function sharesOf(done: number, total: number): number | null {
  return total > 0 ? done / total : null
}
