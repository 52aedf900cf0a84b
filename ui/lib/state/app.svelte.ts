// The whole window's state, made once the core has answered. Views get it by context.

import { createContext } from 'svelte'
import { BackendError, type Backend } from '../api/backend'
import type { AppSettings, Change, Job, Start } from '../api/types'
import { systemLocale, type I18n, type Locale } from '../i18n'
import { applyAppearance, nextZoom, onSystemTheme } from './appearance'
import { Chats } from './chats.svelte'
import { Conversations } from './conversations.svelte'
import { Experts } from './experts.svelte'
import { Inspector } from './inspector.svelte'
import { Jobs } from './jobs.svelte'
import { Models } from './models.svelte'
import { Navigation } from './navigation.svelte'
import { Shortcuts } from './shortcuts.svelte'
import { failureLine } from '../i18n/failure'
import { Toasts } from './toasts.svelte'

/** Below this width, at a text size of 1, the sidebar lies over the page. */
const NARROW = 960
const LOW = 480
/** A conversation narrower than this has the inspector over it rather than beside it. */
const BESIDE = 560
export const SIDEBAR_WIDTH = 260
export const INSPECTOR_WIDTH = 340
const MINUTE = 60_000

export class App {
  settings: AppSettings = $state.raw()!
  readonly version: string
  readonly home: string
  readonly nav = new Navigation()
  readonly toasts = new Toasts()
  readonly shortcuts: Shortcuts
  readonly conversations: Conversations
  readonly chats: Chats
  readonly jobs: Jobs
  readonly models: Models
  readonly experts: Experts
  readonly inspector = new Inspector()
  paletteOpen = $state(false)
  sheetOpen = $state(false)
  modelMenuOpen = $state(false)
  /** The sidebar of a narrow window, which is closed again by using it. */
  overlayOpen = $state(false)
  windowWidth = $state(1280)
  windowHeight = $state(800)

  readonly narrow: boolean = $derived(this.windowWidth / this.settings.zoom < NARROW)
  /** Too low for a sidebar with a full foot. */
  readonly low: boolean = $derived(this.windowHeight / this.settings.zoom < LOW)
  readonly sidebarShown: boolean = $derived(this.narrow ? this.overlayOpen : this.settings.sidebar_open)

  readonly inspectorOver: boolean = $derived.by(() => {
    const width = this.windowWidth / this.settings.zoom
    const sidebar = this.sidebarShown && !this.narrow ? SIDEBAR_WIDTH : 0
    return width - sidebar - INSPECTOR_WIDTH < BESIDE
  })

  constructor(
    readonly backend: Backend,
    readonly i18n: I18n,
    start: Start,
  ) {
    this.settings = start.settings
    this.version = start.version
    this.home = start.home
    this.shortcuts = new Shortcuts(navigator.platform)
    this.applyAppearance()
    this.conversations = new Conversations(
      backend,
      i18n,
      this.toasts,
      {
        gone: (id) => {
          this.nav.forget(id)
          this.chats.forget(id)
        },
        back: (id) => this.nav.chat(id),
        failed: this.report,
      },
      start.conversations,
    )
    this.chats = new Chats(backend, { summaryChanged: this.conversations.put }, start.presets)
    this.jobs = new Jobs(backend, { ended: this.#jobEnded, failed: this.report })
    this.models = new Models(
      backend,
      {
        began: (job) => {
          this.jobs.put(job)
          void this.jobs.refresh()
        },
        failed: this.report,
      },
      start.active_model,
    )
    this.experts = new Experts(backend, this.report)
    for (const notice of start.notices) this.toasts.show({ text: notice, ms: 20_000 })
  }

  /** Begins to listen. Answers how to stop. */
  listen(): () => void {
    const offs = [
      this.backend.onChange(this.#changed),
      onSystemTheme(() => this.applyAppearance()),
      this.shortcuts.bindAll({
        'chat.new': () => this.newChat(),
        search: () => void (this.paletteOpen = true),
        sidebar: () => void this.toggleSidebar(),
        settings: () => this.nav.go({ name: 'settings', section: 'appearance' }),
        'shortcut.sheet': () => void (this.sheetOpen = true),
        'model.pick': () => this.pickModel(),
        back: () => this.nav.back(),
        forward: () => this.nav.forward(),
        'section.chat': () => this.nav.chat(null),
        'section.experts': () => this.nav.go({ name: 'experts', tab: 'list' }),
        'section.models': () => this.nav.go({ name: 'models' }),
        'section.hardware': () => this.nav.go({ name: 'hardware' }),
        'section.settings': () => this.nav.go({ name: 'settings', section: 'appearance' }),
        'zoom.in': () => void this.zoom(1),
        'zoom.out': () => void this.zoom(-1),
        'zoom.reset': () => void this.saveSettings({ zoom: 1 }),
      }),
    ]
    const clock = setInterval(() => (this.conversations.now = Date.now()), MINUTE)
    void this.models.refresh()
    void this.jobs.refresh()
    void this.experts.refresh()
    return () => {
      clearInterval(clock)
      for (const off of offs) off()
    }
  }

  newChat(): void {
    this.overlayOpen = false
    this.nav.chat(null)
  }

  toggleSidebar(): Promise<void> | void {
    if (this.narrow) this.overlayOpen = !this.overlayOpen
    else return this.saveSettings({ sidebar_open: !this.settings.sidebar_open })
  }

  /** The choice of models lies at the foot of the sidebar. */
  pickModel(): void {
    if (!this.sidebarShown) void this.toggleSidebar()
    this.modelMenuOpen = true
  }

  zoom(direction: 1 | -1): Promise<void> {
    return this.saveSettings({ zoom: nextZoom(this.settings.zoom, direction) })
  }

  /** Shown at once; the core's answer counts in the end. */
  async saveSettings(changes: Partial<AppSettings>): Promise<void> {
    const before = this.settings
    this.settings = { ...before, ...changes }
    this.applyAppearance()
    try {
      this.settings = await this.backend.saveSettings(changes)
    } catch (error) {
      this.settings = before
      this.report(error)
    }
    this.applyAppearance()
  }

  /** Reads everything again, after a backup has taken the place of what was here. */
  async reload(): Promise<void> {
    const start = await this.backend.start()
    this.settings = start.settings
    this.applyAppearance()
    for (const { id } of this.conversations.list) this.chats.forget(id)
    this.conversations.list = start.conversations
    this.chats.presets = start.presets
    this.nav.clear()
    await Promise.all([this.models.refresh(), this.conversations.readTrash()])
  }

  applyAppearance(): void {
    this.i18n.locale = localeOf(this.settings)
    applyAppearance(this.settings, this.i18n.locale)
  }

  /** Says what went wrong where there is no better place to say it. */
  report = (error: unknown): void => {
    const text = failureLine(this.i18n, error)
    this.toasts.show({ text, tone: 'danger', ms: 12_000 })
    if (!(error instanceof BackendError)) void this.backend.report(text).catch(() => {})
  }

  #jobEnded = (job: Job): void => {
    const { t } = this.i18n
    if (job.state === 'failed') {
      this.toasts.show({ text: t('models.jobFailed', { subject: job.subject }), tone: 'danger' })
      return
    }
    const text =
      job.kind === 'verify'
        ? t('models.verified', { subject: job.subject })
        : t('models.jobDone', { subject: job.subject })
    this.toasts.show({ text, tone: 'ok' })
  }

  #changed = (change: Change): void => {
    const again: Record<Change, () => Promise<void>> = {
      conversations: () => {
        this.chats.refresh()
        return this.conversations.refresh()
      },
      models: () => this.models.refresh(),
      jobs: () => this.jobs.refresh(),
      experts: () => this.experts.refresh(),
      settings: async () => {
        this.settings = await this.backend.settings()
        this.applyAppearance()
      },
    }
    again[change]().catch(this.report)
  }
}

export function localeOf(settings: AppSettings): Locale {
  return settings.language === 'system' ? systemLocale(navigator.languages) : settings.language
}

export const [useApp, provideApp] = createContext<App>()
