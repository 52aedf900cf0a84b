// What experts are called, and why they do or do not help, in the words of the window.

import { reasonInWords } from './failure'
import type { I18n } from './i18n.svelte'

export const FIELDS = ['medical', 'legal', 'coding', 'finance', 'turkish', 'general', 'science'] as const
export type FieldName = (typeof FIELDS)[number]

/** The field of one of the seven known experts. */
export function fieldOf(id: string): FieldName | null {
  return FIELDS.find((field) => id === `${field}_dora`) ?? null
}

/** A person's own expert has the name it was given; `null` and an empty id are the base model. */
export function expertName(i18n: I18n, id: string | null, own?: { name: string }): string {
  if (!id) return i18n.t('experts.base')
  const field = fieldOf(id)
  return field ? i18n.t(`experts.name.${field}`) : own?.name || id
}

/** Why an expert was left out, in a few words. The core writes sizes in bytes. */
export function droppedShortly(i18n: I18n, reason: string): string {
  if (/not installed/.test(reason)) return i18n.t('why.reason.notInstalled')
  const room = /needs ([\d,]+) B, ([\d,]+) B free of ([\d,]+) B/.exec(reason)
  if (room) {
    const [needed, free, budget] = room.slice(1).map((digits) => i18n.bytes(Number(digits.replaceAll(',', ''))))
    return i18n.t('why.reason.room', { needed: needed!, free: free!, budget: budget! })
  }
  return i18n.t('why.reason.broken')
}

/** The same, with the core's own words where the few do not have them all. Without a full stop. */
export function droppedInWords(i18n: I18n, reason: string): string {
  const short = droppedShortly(i18n, reason)
  if (short !== i18n.t('why.reason.broken')) return short
  return `${short}. ${reasonInWords(i18n, reason).replace(/\.$/, '')}`
}
