// What can be done from the palette.

import type { I18n } from '$lib/i18n'
import type { App } from '$lib/state/app.svelte'
import { modelInWords } from '../models/words'
import type { Command } from '$lib/state/palette.svelte'

export function commandsOf(app: App, { t, locale }: I18n): Command[] {
  const { nav, shortcuts } = app
  const all: Command[] = [
    { id: 'new', label: t('frame.newChat'), keys: shortcuts.text('chat.new'), run: () => app.newChat() },
    {
      id: 'experts',
      label: t('frame.experts'),
      keys: shortcuts.text('section.experts'),
      run: () => nav.go({ name: 'experts', tab: 'list' }),
    },
    {
      id: 'models',
      label: t('frame.models'),
      keys: shortcuts.text('section.models'),
      run: () => nav.go({ name: 'models' }),
    },
    {
      id: 'hardware',
      label: t('frame.hardware'),
      keys: shortcuts.text('section.hardware'),
      run: () => nav.go({ name: 'hardware' }),
    },
    {
      id: 'settings',
      label: t('frame.settings'),
      keys: shortcuts.text('settings'),
      run: () => nav.go({ name: 'settings', section: 'appearance' }),
    },
    {
      id: 'sidebar',
      label: t('palette.toggleSidebar'),
      keys: shortcuts.text('sidebar'),
      run: () => void app.toggleSidebar(),
    },
    { id: 'keys', label: t('keys.title'), keys: shortcuts.text('shortcut.sheet'), run: () => (app.sheetOpen = true) },
    { id: 'trash', label: t('palette.trash'), run: () => nav.go({ name: 'settings', section: 'privacy' }) },
    {
      id: 'language',
      label: t('palette.otherLanguage'),
      run: () => void app.saveSettings({ language: locale === 'tr' ? 'en' : 'tr' }),
    },
  ]
  for (const theme of ['light', 'dark', 'system'] as const) {
    if (theme === app.settings.theme) continue
    all.push({ id: `theme ${theme}`, label: t(`palette.theme.${theme}`), run: () => void app.saveSettings({ theme }) })
  }
  for (const model of app.models.view?.installed ?? []) {
    if (model.active || model.state === 'broken') continue
    all.push({
      id: `model ${model.name}`,
      label: t('palette.useModel', { model: modelInWords(model, t) }),
      run: () => void app.models.use(model.name),
    })
  }
  return all
}
