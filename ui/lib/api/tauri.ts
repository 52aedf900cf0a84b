// The backend of the real window: the commands and events that the Rust side generates.
// The only hand-written file that knows Tauri.

import { Channel } from '@tauri-apps/api/core'
import { getCurrentWebview } from '@tauri-apps/api/webview'
import type { Backend } from './backend'
import { BackendError } from './backend'
import { commands, events } from './generated/bindings'
import type { ChatEvent as CoreEvent, Failure } from './generated/bindings'
import type { Change, ChatEvent, ExpertChoice, FileDrop } from './types'

type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: Failure | string }

/** Unwraps an answer. Refusals of the framework itself arrive as plain text. */
async function value<T>(asked: Promise<Answer<T>>): Promise<T> {
  const answer = await asked.catch((error: unknown) => {
    throw new BackendError('failed', String(error))
  })
  if (answer.status === 'ok') return answer.data
  const { error } = answer
  if (typeof error === 'string') throw new BackendError('failed', error)
  throw new BackendError(error.code, error.message)
}

async function done(asked: Promise<Answer<null>>): Promise<void> {
  await value(asked)
}

/**
 * Runs a command that tells its events through a channel, and resolves after the last one: an answer of the command can
 * overtake the messages of its channel.
 */
async function streamed(
  run: (channel: Channel<CoreEvent>) => Promise<unknown>,
  onEvent: (event: ChatEvent) => void,
): Promise<void> {
  const channel = new Channel<CoreEvent>()
  const last = new Promise<void>((resolve) => {
    channel.onmessage = (event) => {
      onEvent(event)
      if (event.type === 'done' || event.type === 'failed') resolve()
    }
  })
  await run(channel)
  await last
}

function onFileDrop(listener: (drop: FileDrop) => void): () => void {
  const listening = getCurrentWebview().onDragDropEvent(({ payload }) => {
    if (payload.type === 'drop') listener({ type: 'drop', paths: payload.paths })
    else if (payload.type === 'enter') listener({ type: 'over', paths: payload.paths })
    else if (payload.type === 'leave') listener({ type: 'leave', paths: [] })
  })
  return () => {
    void listening.then((stop) => stop())
  }
}

async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Some web views grant the clipboard only to a selection that the person could have copied.
    const field = document.createElement('textarea')
    field.value = text
    field.className = 'sr-only'
    document.body.append(field)
    field.select()
    const copied = document.execCommand('copy')
    field.remove()
    if (!copied) throw new BackendError('failed', 'the clipboard cannot be written')
  }
}

export function tauriBackend(): Backend {
  return {
    start: () => value(commands.start()),
    onChange(listener: (change: Change) => void) {
      const listening = events.changed.listen(({ payload }) => listener(payload))
      return () => {
        void listening.then((stop) => stop())
      }
    },

    listConversations: () => value(commands.listConversations()),
    openConversation: (id) => value(commands.openConversation(id)),
    createConversation: () => value(commands.createConversation()),
    renameConversation: (id, title) => done(commands.renameConversation(id, title)),
    pinConversation: (id, pinned) => done(commands.pinConversation(id, pinned)),
    trashConversation: (id) => done(commands.trashConversation(id)),
    restoreConversation: (id) => done(commands.restoreConversation(id)),
    listTrash: () => value(commands.listTrash()),
    emptyTrash: () => value(commands.emptyTrash()),
    trashMessage: (conversation, message) => done(commands.trashMessage(conversation, message)),
    restoreMessage: (conversation, message) => done(commands.restoreMessage(conversation, message)),
    showBranch: (conversation, leaf) => done(commands.showBranch(conversation, leaf)),
    saveDraft: (conversation, text) => done(commands.saveDraft(conversation, text)),
    saveParameters: (conversation, systemPrompt, presetId, sampling) =>
      done(commands.saveParameters(conversation, systemPrompt, presetId, sampling)),
    searchMessages: (query) => value(commands.searchMessages(query)),
    exportConversation: (id, format, path) => done(commands.exportConversation(id, format, path)),
    exportEverything: (path) => done(commands.exportEverything(path)),
    importConversations: (path) => value(commands.importConversations(path)),

    listPresets: () => value(commands.listPresets()),
    savePreset: (preset) => value(commands.savePreset(preset)),
    deletePreset: (id) => done(commands.deletePreset(id)),

    ask: (request, onEvent) => streamed((channel) => done(commands.ask(request, channel)), onEvent),
    regenerate: (conversation: string, question: string, experts: ExpertChoice, onEvent) =>
      streamed((channel) => done(commands.regenerate(conversation, question, experts, channel)), onEvent),
    async stop(answer) {
      await commands.stop(answer)
    },
    contextUse: (conversation, leaf, draft) => value(commands.contextUse(conversation, leaf, draft)),

    models: () => value(commands.models()),
    useModel: (name) => done(commands.useModel(name)),
    warmModel(onEvent) {
      const channel = new Channel<CoreEvent>()
      channel.onmessage = onEvent
      return done(commands.warmModel(channel))
    },
    pullModel: (repo, file) => value(commands.pullModel(repo, file)),
    importModel: (path) => value(commands.importModel(path)),
    verifyModel: (name) => value(commands.verifyModel(name)),
    removeModel: (name) => value(commands.removeModel(name)),
    jobs: () => value(commands.jobs()),
    pauseJob: (id) => done(commands.pauseJob(id)),
    resumeJob: (id) => done(commands.resumeJob(id)),
    cancelJob: (id) => done(commands.cancelJob(id)),
    dismissJob: (id) => done(commands.dismissJob(id)),

    experts: () => value(commands.experts()),
    tiers: () => value(commands.tiers()),
    preloadExperts: (ids, tier) => value(commands.preloadExperts(ids, tier)),
    unloadExpert: (id) => done(commands.unloadExpert(id)),
    pinExpert: (id, pinned) => done(commands.pinExpert(id, pinned)),
    importExpert: (path, id) => value(commands.importExpert(path, id)),
    exportExpert: (id, path) => done(commands.exportExpert(id, path)),
    removeExpert: (id) => value(commands.removeExpert(id)),
    routeQuestion: (text) => value(commands.routeQuestion(text)),
    routeFile: (path) => value(commands.routeFile(path)),
    expertSettings: () => value(commands.expertSettings()),
    saveExpertSettings: (changes) => value(commands.saveExpertSettings(changes)),
    labelAnswer: (message, label) => done(commands.labelAnswer(message, label)),
    routerLabels: () => value(commands.routerLabels()),
    refitRouter: () => value(commands.refitRouter()),
    undoRefit: () => done(commands.undoRefit()),

    doctor: () => value(commands.doctor()),
    settings: () => value(commands.settings()),
    saveSettings: (changes) => value(commands.saveSettings(changes)),
    outboundHosts: () => commands.outboundHosts(),
    openFolder: (which) => done(commands.openFolder(which)),
    openLink: (url) => done(commands.openLink(url)),
    backup: (path) => value(commands.backup(path)),
    restore: (path) => done(commands.restore(path)),
    diagnostics: (path) => done(commands.diagnostics(path)),

    pickFile: (title, extensions) => value(commands.pickFile(title, extensions)),
    pickFolder: (title) => value(commands.pickFolder(title)),
    pickSave: (title, name) => value(commands.pickSave(title, name)),
    onFileDrop,
    copyText,
    async painted() {
      await commands.painted()
    },
    async report(problem) {
      await commands.report(problem)
    },
  }
}
