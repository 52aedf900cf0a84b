// The real core inside the app; the one in memory in a browser, or where `?fake` asks for it.

import type { Backend } from './backend'

export async function chooseBackend(): Promise<Backend> {
  const query = new URLSearchParams(location.search)
  const inApp = '__TAURI_INTERNALS__' in window
  if (inApp && !query.has('fake')) {
    const { tauriBackend } = await import('./tauri')
    return tauriBackend()
  }
  const { FakeBackend } = await import('./fake')
  const fake = new FakeBackend({
    fresh: query.has('fresh'),
    settings: query.has('fresh') ? { onboarding_done: false } : {},
  })
  // For tests in a browser, which look at what was asked of it and let calls fail.
  Object.assign(window, { fakeBackend: fake })
  return fake
}
