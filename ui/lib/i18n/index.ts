export { I18n, provideI18n, systemLocale, useI18n, type Key, type PlainKey } from './i18n.svelte'
export type { DateGroup, Locale } from './format'
export { phaseInWords } from './phases'
