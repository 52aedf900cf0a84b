import './lib/locale'
import './app.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { chooseBackend } from './lib/api/choose'
import { I18n } from './lib/i18n'
import { App as AppState } from './lib/state/app.svelte'

declare global {
  interface Window {
    r3mesBoot?: {
      problems: string[]
      failed: (text: string) => void
      done: () => void
    }
    r3mesReport?: (problem: string) => void
  }
}

async function begin(): Promise<void> {
  const backend = await chooseBackend()
  const report = (problem: string) => void backend.report(problem).catch(() => {})
  window.r3mesBoot?.problems.forEach(report)
  window.r3mesReport = report

  const app = new AppState(backend, new I18n(), await backend.start())
  mount(App, { target: document.getElementById('app')!, props: { app } })
  window.r3mesBoot?.done()
  // Painted is what has been on the screen for a frame.
  requestAnimationFrame(() => requestAnimationFrame(() => void backend.painted().catch(() => {})))
}

begin().catch((error: unknown) => {
  window.r3mesBoot?.failed(error instanceof Error ? error.message : String(error))
})
