import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { en } from './en'
import * as format from './format'
import { I18n, regionOf, systemLocale } from './i18n.svelte'
import { placeholders, type Text } from './messages'
import { tr } from './tr'

const UI = join(import.meta.dirname, '..', '..')
const keys = Object.keys(en) as (keyof typeof en)[]

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && /\.(svelte|ts)$/.test(file.name) && !/\.test\.ts$/.test(file.name))
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => !path.includes(join('i18n', 'areas')))
    .map((path) => readFileSync(path, 'utf8'))
}

describe('texts', () => {
  test('Turkish has exactly the keys of English', () => {
    expect(Object.keys(tr).sort()).toEqual([...keys].sort())
  })

  test('every text has the same placeholders in both languages', () => {
    const different = keys.filter(
      (key) => String(placeholders(en[key])) !== String(placeholders((tr as Record<string, Text>)[key]!)),
    )
    expect(different).toEqual([])
  })

  test('no text is empty, and none is plural in one language only', () => {
    const wrong = keys.filter((key) => {
      const both = [en[key], (tr as Record<string, Text>)[key]!] as Text[]
      return typeof both[0] !== typeof both[1] || both.some((text) => typeof text === 'string' && !text.trim())
    })
    expect(wrong).toEqual([])
  })

  test('every text is used', () => {
    const all = sources(UI).join('\n')
    const begun = [...all.matchAll(/`([\w.]+\.)\$\{/g)].map((match) => match[1]!)
    const ended = [...all.matchAll(/\$\{[\w.]+\}([A-Z]\w+)`/g)].map((match) => match[1]!)
    const unused = keys.filter(
      (key) =>
        !all.includes(`'${key}'`) &&
        !begun.some((prefix) => key.startsWith(prefix)) &&
        !ended.some((suffix) => key.endsWith(suffix)),
    )
    expect(unused).toEqual([])
  })

  test('counts choose the plural form of the language', () => {
    const i18n = new I18n('en')
    expect(i18n.t('settings.trashMessages', { count: 1 })).toBe('One message')
    expect(i18n.t('settings.trashMessages', { count: 1234 })).toBe('1,234 messages')
    i18n.locale = 'tr'
    expect(i18n.t('settings.trashMessages', { count: 1234 })).toBe('1.234 ileti')
  })
})

describe('numbers and dates', () => {
  const now = new Date(2026, 2, 12, 15, 0).getTime()
  const at = (day: number, hour = 12) => new Date(2026, 2, day, hour).getTime()

  test('sizes have one decimal, in Turkish after a comma', () => {
    expect(format.bytes('en', 0)).toBe('0 B')
    expect(format.bytes('en', 999)).toBe('999 B')
    expect(format.bytes('en', 1_180_000_000)).toBe('1.2 GB')
    expect(format.bytes('tr', 1_180_000_000)).toBe('1,2 GB')
    expect(format.bytes('en', 999_960)).toBe('1.0 MB')
  })

  test('what is not a number is never shown as one', () => {
    const i18n = new I18n('tr')
    for (const wrong of [NaN, Infinity, -Infinity]) {
      for (const write of [i18n.number, i18n.decimal, i18n.percent, i18n.bytes, i18n.duration, i18n.date, i18n.time]) {
        expect(write(wrong)).toBe(format.UNKNOWN)
      }
    }
  })

  test('the percent sign stands where the language wants it', () => {
    expect(new I18n('en').percent(0.38)).toBe('38%')
    expect(new I18n('tr').percent(0.38)).toBe('%38')
  })

  test('durations grow from milliseconds to hours', () => {
    const { duration } = new I18n('en')
    expect(duration(340)).toBe('340 ms')
    expect(duration(2_440)).toBe('2.4 s')
    expect(duration(42_000)).toBe('42 s')
    expect(duration(200_000)).toBe('3 min 20 s')
    expect(duration(3_900_000)).toBe('1 h 5 min')
    expect(new I18n('tr').duration(2_440)).toBe('2,4 sn')
  })

  test('groups follow the calendar, not spans of hours', () => {
    expect(format.dateGroup(at(12, 0), now)).toBe('today')
    expect(format.dateGroup(at(11, 23), now)).toBe('yesterday')
    expect(format.dateGroup(at(10), now)).toBe('week')
    expect(format.dateGroup(at(6), now)).toBe('week')
    expect(format.dateGroup(at(5), now)).toBe('older')
    expect(format.dateGroup(at(13), now)).toBe('today')
  })

  test('a date is as short as it can be', () => {
    expect(format.shortDate('tr', at(12, 9), now)).toBe('09:00')
    expect(format.shortDate('tr', at(3), now)).toBe('3 Mar')
    expect(format.shortDate('tr', new Date(2025, 4, 1).getTime(), now)).toBe('1 May 2025')
  })

  test('case follows the language', () => {
    expect(new I18n('tr').fold('IĞDIR İzmir')).toBe('ığdır izmir')
    expect(new I18n('en').fold('TITLE')).toBe('title')
  })

  test('the system decides where nobody has', () => {
    expect(systemLocale(['tr-TR', 'en'])).toBe('tr')
    expect(systemLocale(['de', 'tr'])).toBe('en')
    expect(systemLocale([])).toBe('en')
    expect(regionOf('en', ['tr-TR', 'en-US'])).toBe('en-US')
    expect(regionOf('tr', ['en-US'])).toBe('tr')
  })
})
