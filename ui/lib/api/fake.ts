// The whole backend in memory: for tests, and for looking at the window in a browser.
// Words that do something in a question: /fail /full /slow /long /xss /refuse.

import type { Backend } from './backend'
import { FakeChats } from './fake/chats'
import { FakeExpertCalls } from './fake/expertCalls'
import { FakeModels } from './fake/models'
import { seed } from './fake/seed'
import { DOCTOR, GB, HOSTS, MB, PRESETS, SETTINGS } from './fake/settings'
import type {
  AppSettings,
  AskRequest,
  ChatEvent,
  Conversation,
  ExpertChoice,
  ExpertLabel,
  Preset,
  SamplingChoice,
  Start,
} from './types'

export interface FakeOptions {
  /** What the clock says; the system's time where it is left out. */
  now?: number
  /** Everything at once, without timers. */
  instant?: boolean
  settings?: Partial<AppSettings>
  /** Without conversations and without models but the built-in one, as after the installation. */
  fresh?: boolean
}

export class FakeBackend extends FakeExpertCalls implements Backend {
  readonly chats: FakeChats
  readonly fakeModels: FakeModels
  #settings: AppSettings
  #presets = PRESETS
  #next = 1

  constructor(private readonly options: FakeOptions = {}) {
    const clock = () => options.now ?? Date.now()
    const speed = { tokensPerSecond: options.instant ? Infinity : 40 }
    super(options.fresh ?? false, clock, !options.instant)
    this.#settings = { ...SETTINGS, ...options.settings }
    this.chats = new FakeChats(options.fresh ? [] : seed(clock()), clock, speed, this.fakeExperts, this.announce)
    this.fakeModels = new FakeModels(this.announce, options.instant ?? false)
    if (options.fresh) {
      const { view } = this.fakeModels
      this.fakeModels.view = {
        installed: view.installed.filter((model) => model.built_in).map((model) => ({ ...model, active: true })),
        unfinished: [],
        known: view.known.map((model) => ({ ...model, installed: false })),
        loaded: null,
      }
    }
  }

  async start(): Promise<Start> {
    this.called('start')
    return {
      version: DOCTOR.version,
      settings: this.#settings,
      conversations: await this.listConversations(),
      presets: this.#presets,
      active_model: this.fakeModels.view.installed.find((model) => model.active)?.name ?? '',
      home: DOCTOR.folders.home,
      notices: [],
    }
  }

  async listConversations() {
    this.called('listConversations')
    return this.chats.all.map((one) => one.summary).sort((a, b) => b.updated_at - a.updated_at)
  }

  async openConversation(id: string): Promise<Conversation> {
    this.called('openConversation', id)
    return this.chats.find(id)
  }

  async createConversation() {
    this.called('createConversation')
    return this.chats.create()
  }

  async renameConversation(id: string, title: string) {
    this.called('renameConversation', id, title)
    this.chats.summarise(id, { title })
  }

  async pinConversation(id: string, pinned: boolean) {
    this.called('pinConversation', id, pinned)
    this.chats.summarise(id, { pinned })
  }

  async trashConversation(id: string) {
    this.called('trashConversation', id)
    this.chats.trash(id)
  }

  async restoreConversation(id: string) {
    this.called('restoreConversation', id)
    this.chats.restore(id)
  }

  async listTrash() {
    this.called('listTrash')
    return this.chats.trashed.map((one) => one.summary)
  }

  async emptyTrash() {
    this.called('emptyTrash')
    const count = this.chats.trashed.length
    this.chats.trashed = []
    return count
  }

  async trashMessage(conversation: string, message: string) {
    this.called('trashMessage', conversation, message)
    this.chats.trashMessage(conversation, message)
  }

  async restoreMessage(conversation: string, message: string) {
    this.called('restoreMessage', conversation, message)
    this.chats.restoreMessage(conversation, message)
  }

  async showBranch(conversation: string, leaf: string) {
    this.called('showBranch', conversation, leaf)
    this.chats.change(conversation, (one) => ({ ...one, leaf }))
  }

  async saveDraft(conversation: string, text: string) {
    this.called('saveDraft', conversation, text)
    this.chats.change(conversation, (one) => ({ ...one, draft: text }))
  }

  async saveParameters(conversation: string, systemPrompt: string, presetId: string | null, sampling: SamplingChoice) {
    this.called('saveParameters', conversation, systemPrompt, presetId, sampling)
    this.chats.change(conversation, (one) => ({ ...one, system_prompt: systemPrompt, preset_id: presetId, sampling }))
  }

  async searchMessages(query: string) {
    this.called('searchMessages', query)
    return this.chats.search(query)
  }

  async exportConversation(...rest: unknown[]) {
    this.called('exportConversation', ...rest)
  }

  async exportEverything(path: string) {
    this.called('exportEverything', path)
  }

  async importConversations(path: string) {
    this.called('importConversations', path)
    const summary = this.chats.create()
    this.announce('conversations')
    return [this.chats.summarise(summary.id, { title: path.split('/').at(-1)! })]
  }

  async listPresets() {
    this.called('listPresets')
    return this.#presets
  }

  async savePreset(preset: Preset) {
    this.called('savePreset', preset)
    const saved = { ...preset, id: preset.id || `p-new-${this.#next++}` }
    this.#presets = [...this.#presets.filter((one) => one.id !== saved.id), saved]
    return saved
  }

  async deletePreset(id: string) {
    this.called('deletePreset', id)
    this.#presets = this.#presets.filter((one) => one.id !== id)
  }

  async ask(request: AskRequest, onEvent: (event: ChatEvent) => void) {
    this.called('ask', request)
    await this.chats.ask(request, onEvent)
  }

  async regenerate(conversation: string, question: string, experts: ExpertChoice, onEvent: (event: ChatEvent) => void) {
    this.called('regenerate', conversation, question, experts)
    await this.chats.regenerate(conversation, question, experts, onEvent)
  }

  override async labelAnswer(message: string, label: ExpertLabel | null) {
    await super.labelAnswer(message, label)
    this.chats.label(message, label)
  }

  async stop(answer: string) {
    this.called('stop', answer)
    this.chats.stop(answer)
  }

  async contextUse(conversation: string, leaf: string | null, draft: string) {
    this.called('contextUse', conversation, leaf, draft)
    const one = this.chats.all.find((other) => other.summary.id === conversation)
    const letters = one?.messages.reduce((sum, message) => sum + message.content.length, 0) ?? 0
    return {
      limit: 4096,
      system: Math.ceil((one?.system_prompt.length ?? 0) / 4) + 12,
      history: Math.min(3600, Math.ceil(letters / 4)),
      draft: Math.ceil(draft.length / 4),
      answer: 512,
    }
  }

  async models() {
    this.called('models')
    return this.fakeModels.view
  }

  async useModel(name: string) {
    this.called('useModel', name)
    this.fakeModels.use(name)
  }

  async warmModel(onEvent: (event: ChatEvent) => void) {
    this.called('warmModel')
    for (let done = 0; done <= 20; done += 1) {
      onEvent({ type: 'loading', phase: 'reading the weights', done, total: 20 })
      if (!this.options.instant) await new Promise((resolve) => setTimeout(resolve, 90))
    }
    const active = this.fakeModels.view.installed.find((model) => model.active)
    this.fakeModels.view = {
      ...this.fakeModels.view,
      loaded: active ? { name: active.name, backend: 'cpu · avx512-vnni' } : null,
    }
    this.announce('models')
  }

  async pullModel(repo: string, file: string | null) {
    this.called('pullModel', repo, file)
    const one = this.fakeModels.view.known.find((model) => model.repo === repo)
    return this.fakeModels.begin('pull', repo, one?.download_bytes ?? 1.58 * GB)
  }

  async importModel(path: string) {
    this.called('importModel', path)
    return this.fakeModels.begin('import', path, 620 * MB)
  }

  async verifyModel(name: string) {
    this.called('verifyModel', name)
    const one = this.fakeModels.view.installed.find((model) => model.name === name)
    return this.fakeModels.begin('verify', name, Math.max(one?.size_bytes ?? 0, MB))
  }

  async removeModel(name: string) {
    this.called('removeModel', name)
    return this.fakeModels.remove(name)
  }

  async jobs() {
    this.called('jobs')
    return this.fakeModels.jobs
  }

  async pauseJob(id: string) {
    this.called('pauseJob', id)
    this.fakeModels.pause(id)
  }

  async resumeJob(id: string) {
    this.called('resumeJob', id)
    this.fakeModels.resume(id)
  }

  async cancelJob(id: string) {
    this.called('cancelJob', id)
    this.fakeModels.cancel(id)
  }

  async dismissJob(id: string) {
    this.called('dismissJob', id)
    this.fakeModels.dismiss(id)
  }

  async doctor() {
    this.called('doctor')
    const active = this.fakeModels.view.installed.find((model) => model.active)
    return { ...DOCTOR, model: { ...DOCTOR.model, name: active?.name ?? 'builtin' } }
  }

  async settings() {
    this.called('settings')
    return this.#settings
  }

  async saveSettings(changes: Partial<AppSettings>) {
    this.called('saveSettings', changes)
    this.#settings = { ...this.#settings, ...changes }
    return this.#settings
  }

  async outboundHosts() {
    this.called('outboundHosts')
    return HOSTS
  }

  async openFolder(which: 'home' | 'models' | 'logs') {
    this.called('openFolder', which)
  }

  async openLink(url: string) {
    this.called('openLink', url)
  }

  async backup(path: string) {
    this.called('backup', path)
    return 4.2 * MB
  }

  async restore(path: string) {
    this.called('restore', path)
  }

  async diagnostics(path: string) {
    this.called('diagnostics', path)
  }

  async pickFile(title: string, extensions: string[]): Promise<string | null> {
    this.called('pickFile', title, extensions)
    return `/home/ayşe/İndirilenler/yedek.${extensions[0] ?? 'gguf'}`
  }

  async pickFolder(title: string): Promise<string | null> {
    this.called('pickFolder', title)
    return '/home/ayşe/Belgeler/model klasörü'
  }

  async pickSave(title: string, name: string): Promise<string | null> {
    this.called('pickSave', title, name)
    return `/home/ayşe/Belgeler/${name}`
  }

  async copyText(text: string) {
    this.called('copyText', text)
    await navigator.clipboard?.writeText(text).catch(() => {})
  }

  async painted() {
    this.called('painted')
  }

  async report(problem: string) {
    this.called('report', problem)
  }
}
