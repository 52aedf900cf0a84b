// The only door between the window and the core. `tauri.ts`, `http.ts` and `fake.ts` implement it.

import type {
  AppSettings,
  AskRequest,
  Change,
  ChatEvent,
  ContextUse,
  Conversation,
  ConversationSummary,
  DoctorReport,
  ExpertChoice,
  ExpertEntry,
  ExpertLabel,
  ExpertSettings,
  ExpertSettingsView,
  ExportFormat,
  FileDrop,
  Job,
  ModelsView,
  OutboundHost,
  PreloadReport,
  Preset,
  RefitReport,
  Route,
  RouteFileReport,
  RouterLabels,
  SamplingChoice,
  SearchHit,
  Start,
  Tier,
  TierReport,
} from './types'

/** Every method rejects with this. */
export class BackendError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export interface Backend {
  start(): Promise<Start>
  /** Called when something changed elsewhere; returns how to stop listening. */
  onChange(listener: (change: Change) => void): () => void

  listConversations(): Promise<ConversationSummary[]>
  openConversation(id: string): Promise<Conversation>
  createConversation(): Promise<ConversationSummary>
  renameConversation(id: string, title: string): Promise<void>
  pinConversation(id: string, pinned: boolean): Promise<void>
  /** Moves it to the trash; `restoreConversation` brings it back. */
  trashConversation(id: string): Promise<void>
  restoreConversation(id: string): Promise<void>
  listTrash(): Promise<ConversationSummary[]>
  emptyTrash(): Promise<number>
  /** A message with everything below it; `restoreMessage` undoes it. */
  trashMessage(conversation: string, message: string): Promise<void>
  restoreMessage(conversation: string, message: string): Promise<void>
  /** Which branch is shown: its last message. */
  showBranch(conversation: string, leaf: string): Promise<void>
  saveDraft(conversation: string, text: string): Promise<void>
  saveParameters(
    conversation: string,
    systemPrompt: string,
    presetId: string | null,
    sampling: SamplingChoice,
  ): Promise<void>
  searchMessages(query: string): Promise<SearchHit[]>
  exportConversation(id: string, format: ExportFormat, path: string): Promise<void>
  exportEverything(path: string): Promise<void>
  importConversations(path: string): Promise<ConversationSummary[]>

  listPresets(): Promise<Preset[]>
  savePreset(preset: Preset): Promise<Preset>
  deletePreset(id: string): Promise<void>

  /** Stores the question, then answers it. Resolves when the last event has been delivered. */
  ask(request: AskRequest, onEvent: (event: ChatEvent) => void): Promise<void>
  /** Another answer to the same question. */
  regenerate(
    conversation: string,
    question: string,
    experts: ExpertChoice,
    onEvent: (event: ChatEvent) => void,
  ): Promise<void>
  stop(answer: string): Promise<void>
  contextUse(conversation: string, leaf: string | null, draft: string): Promise<ContextUse>

  models(): Promise<ModelsView>
  useModel(name: string): Promise<void>
  /** Brings the chosen model into memory. */
  warmModel(onEvent: (event: ChatEvent) => void): Promise<void>
  pullModel(repo: string, file: string | null): Promise<Job>
  importModel(path: string): Promise<Job>
  verifyModel(name: string): Promise<Job>
  /** Answers the bytes it freed. */
  removeModel(name: string): Promise<number>
  jobs(): Promise<Job[]>
  pauseJob(id: string): Promise<void>
  resumeJob(id: string): Promise<void>
  cancelJob(id: string): Promise<void>
  dismissJob(id: string): Promise<void>

  /** The known ones, installed or not, and a person's own. */
  experts(): Promise<ExpertEntry[]>
  tiers(): Promise<TierReport[]>
  /** Into memory now; without a tier, into the fastest that has room. */
  preloadExperts(ids: string[], tier: Tier | null): Promise<PreloadReport[]>
  unloadExpert(id: string): Promise<void>
  pinExpert(id: string, pinned: boolean): Promise<void>
  /** A `.r3mes-expert` file or a folder of PEFT, under that id or the one its files say; answers what was installed. */
  importExpert(path: string, id: string | null): Promise<ExpertEntry>
  exportExpert(id: string, path: string): Promise<void>
  /** Answers the bytes it freed. */
  removeExpert(id: string): Promise<number>

  /** Who would be asked; nothing is loaded and nothing is kept. */
  routeQuestion(text: string): Promise<Route>
  /** One JSON object a line with `text` and `expert_id`; an empty or missing id is the base model. */
  routeFile(path: string): Promise<RouteFileReport>
  expertSettings(): Promise<ExpertSettingsView>
  saveExpertSettings(changes: Partial<ExpertSettings>): Promise<ExpertSettings>
  /** Says who should have answered; without a label, takes that back. */
  labelAnswer(message: string, label: ExpertLabel | null): Promise<void>
  routerLabels(): Promise<RouterLabels>
  /** Fits thresholds and prototypes to the labels. */
  refitRouter(): Promise<RefitReport>
  undoRefit(): Promise<void>

  doctor(): Promise<DoctorReport>
  settings(): Promise<AppSettings>
  saveSettings(changes: Partial<AppSettings>): Promise<AppSettings>
  outboundHosts(): Promise<OutboundHost[]>
  openFolder(which: 'home' | 'models' | 'logs'): Promise<void>
  openLink(url: string): Promise<void>
  /** A copy of everything a person made (conversations, settings), as one file. */
  backup(path: string): Promise<number>
  restore(path: string): Promise<void>
  /** Logs and the hardware report, without any text of a conversation and with names and paths redacted. */
  diagnostics(path: string): Promise<void>

  /** The system's own dialogs; `null` when the person closed them. */
  pickFile(title: string, extensions: string[]): Promise<string | null>
  pickFolder(title: string): Promise<string | null>
  pickSave(title: string, name: string): Promise<string | null>
  /** Called while files are held over the window, and when they are let go; returns how to stop listening. */
  onFileDrop(listener: (drop: FileDrop) => void): () => void
  copyText(text: string): Promise<void>
  /** Tells the core that the window has painted. */
  painted(): Promise<void>
  report(problem: string): Promise<void>
}
