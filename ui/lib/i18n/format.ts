// Numbers, sizes and times for people. Nothing here answers "NaN", "∞" or a bare dash.

export type Locale = 'en' | 'tr'
/** A language with its region, which decides how days and hours are written. */
export type Region = string

/** Shown where a number is not known. */
export const UNKNOWN = '…'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const
const DAY_MS = 86_400_000

export type DateGroup = 'today' | 'yesterday' | 'week' | 'older'

export function number(locale: Locale, value: number, digits = 0): string {
  if (!Number.isFinite(value)) return UNKNOWN
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)
}

/** At most so many digits after the point, and none that say nothing. */
export function decimal(locale: Locale, value: number, most = 2): string {
  if (!Number.isFinite(value)) return UNKNOWN
  return new Intl.NumberFormat(locale, { maximumFractionDigits: most }).format(value)
}

/** `0.82` as "82 %"; the sign stands where the language wants it. */
export function percent(locale: Locale, share: number): string {
  if (!Number.isFinite(share)) return UNKNOWN
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }).format(Math.max(share, 0))
}

/** Decimal units with one digit, as file managers show them: "1.2 GB". */
export function bytes(locale: Locale, value: number): string {
  if (!Number.isFinite(value) || value < 0) return UNKNOWN
  let size = value
  let unit = 0
  while (size >= 999.95 && unit < UNITS.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${number(locale, size, unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}

export type DurationUnits = { ms: string; s: string; min: string; h: string }

/** "340 ms", "2.4 s", "3 min 20 s", "1 h 05 min". */
export function duration(locale: Locale, ms: number, units: DurationUnits): string {
  if (!Number.isFinite(ms) || ms < 0) return UNKNOWN
  if (ms < 1000) return `${number(locale, ms)} ${units.ms}`
  if (ms < 59_950) return `${number(locale, ms / 1000, ms < 9950 ? 1 : 0)} ${units.s}`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) {
    const rest = seconds % 60
    return `${number(locale, Math.floor(seconds / 60))} ${units.min}${rest ? ` ${number(locale, rest)} ${units.s}` : ''}`
  }
  const minutes = Math.round(seconds / 60)
  const rest = minutes % 60
  return `${number(locale, Math.floor(minutes / 60))} ${units.h}${rest ? ` ${number(locale, rest)} ${units.min}` : ''}`
}

export function date(locale: Region, ms: number): string {
  return valid(ms)
    ? new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' }).format(ms)
    : UNKNOWN
}

export function time(locale: Region, ms: number): string {
  if (!valid(ms)) return UNKNOWN
  // "2:40 PM", but "09:00".
  const hour = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions().hour12 ? 'numeric' : '2-digit'
  return new Intl.DateTimeFormat(locale, { hour, minute: '2-digit' }).format(ms)
}

export function dateTime(locale: Region, ms: number): string {
  return valid(ms) ? new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(ms) : UNKNOWN
}

/** As short as it can be: the time of today, the day of this year, else the date. */
export function shortDate(locale: Region, ms: number, now: number): string {
  if (!valid(ms)) return UNKNOWN
  if (daysApart(ms, now) === 0) return time(locale, ms)
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric'
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year }).format(ms)
}

/** By calendar days of this place, not by spans of 24 hours. */
export function dateGroup(ms: number, now: number): DateGroup {
  const days = daysApart(ms, now)
  if (days <= 0) return 'today'
  if (days === 1) return 'yesterday'
  return days < 7 ? 'week' : 'older'
}

function daysApart(ms: number, now: number): number {
  // Rounded, since a day with a clock change has 23 or 25 hours.
  return Math.round((midnight(now) - midnight(ms)) / DAY_MS)
}

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

function valid(ms: number): boolean {
  return Number.isFinite(new Date(ms).getTime())
}
