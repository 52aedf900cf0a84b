// Theme, language and text size, as the document carries them. `boot.js` reads what is kept here before the first paint.

import type { AppSettings, Theme } from '../api/types'
import type { Locale } from '../i18n'

const DARK = '(prefers-color-scheme: dark)'
export const ZOOM_STEPS = [0.75, 0.85, 1, 1.1, 1.25, 1.5, 1.75, 2]

export function themeOf(theme: Theme, systemIsDark: boolean): 'light' | 'dark' {
  if (theme === 'system') return systemIsDark ? 'dark' : 'light'
  return theme
}

export function applyAppearance(settings: AppSettings, locale: Locale): void {
  const root = document.documentElement
  root.dataset.theme = themeOf(settings.theme, matchMedia(DARK).matches)
  root.lang = locale
  root.style.setProperty('--zoom', String(settings.zoom))
  keep('r3mes.theme', settings.theme)
  keep('r3mes.language', locale)
}

/** Answers how to stop listening. */
export function onSystemTheme(changed: () => void): () => void {
  const query = matchMedia(DARK)
  query.addEventListener('change', changed)
  return () => query.removeEventListener('change', changed)
}

export function nextZoom(zoom: number, direction: 1 | -1): number {
  const steps = direction > 0 ? ZOOM_STEPS : [...ZOOM_STEPS].reverse()
  return steps.find((step) => (step - zoom) * direction > 0.001) ?? steps.at(-1)!
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // Without storage the next start may show the system's theme for a moment.
  }
}
