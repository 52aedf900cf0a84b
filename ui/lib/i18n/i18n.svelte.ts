// The language of the interface: texts by typed keys, and numbers and dates as the language writes them.

import { createContext } from 'svelte'
import { en } from './en'
import * as format from './format'
import type { DateGroup, Locale } from './format'
import { fill, type Text, type Values } from './messages'
import { tr } from './tr'

export type Key = keyof typeof en
/** Keys whose text needs nothing filled in. */
export type PlainKey = { [K in Key]: Values<(typeof en)[K]> extends [] ? K : never }[Key]

const TEXTS: Record<Locale, Record<Key, Text>> = { en, tr }

export class I18n {
  locale = $state<Locale>('en')
  /** How days and hours are written: as the person's own region does, where it speaks this language. */
  readonly #region = $derived(regionOf(this.locale, navigator.languages))
  readonly #plural = $derived(new Intl.PluralRules(this.locale))
  readonly collator = $derived(new Intl.Collator(this.locale, { numeric: true, sensitivity: 'base' }))

  constructor(locale: Locale = 'en') {
    this.locale = locale
  }

  t = <K extends Key>(key: K, ...values: Values<(typeof en)[K]>): string => {
    const text = TEXTS[this.locale][key]
    const given = values[0] as Record<string, string | number> | undefined
    if (typeof text === 'string') return fill(text, given)
    const count = Number(given?.count ?? 0)
    const chosen = this.#plural.select(count) === 'one' ? text.one : text.other
    return fill(chosen, { ...given, count: this.number(count) })
  }

  number = (value: number, digits = 0): string => format.number(this.locale, value, digits)
  decimal = (value: number, most = 2): string => format.decimal(this.locale, value, most)
  percent = (share: number): string => format.percent(this.locale, share)
  bytes = (value: number): string => format.bytes(this.locale, value)
  date = (ms: number): string => format.date(this.#region, ms)
  time = (ms: number): string => format.time(this.#region, ms)
  dateTime = (ms: number): string => format.dateTime(this.#region, ms)
  shortDate = (ms: number, now: number = Date.now()): string => format.shortDate(this.#region, ms, now)
  dateGroup = (ms: number, now: number = Date.now()): DateGroup => format.dateGroup(ms, now)

  duration = (ms: number): string =>
    format.duration(this.locale, ms, {
      ms: this.t('unit.ms'),
      s: this.t('unit.s'),
      min: this.t('unit.min'),
      h: this.t('unit.h'),
    })

  /** Case folding of the interface's language: in Turkish `I` goes with `ı` and `İ` with `i`. */
  fold = (text: string): string => text.toLocaleLowerCase(this.locale).normalize('NFC')
}

/** The language to begin with, where nobody chose one. */
export function systemLocale(languages: readonly string[]): Locale {
  const first = languages[0] ?? 'en'
  return first.toLowerCase().split(/[-_]/)[0] === 'tr' ? 'tr' : 'en'
}

export function regionOf(locale: Locale, languages: readonly string[]): string {
  return (
    languages.find((language) => language.toLowerCase().startsWith(`${locale}-`)) ??
    (locale === 'en' ? 'en-GB' : locale)
  )
}

export const [useI18n, provideI18n] = createContext<I18n>()
