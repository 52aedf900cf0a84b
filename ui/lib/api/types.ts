// What the window and the core say to each other. The Rust side generates the same shapes into `generated/`;
// this file re-exports them under the names the window uses. Sizes are bytes, times milliseconds since 1970 or `_ms`.

/** One conversation in the list. */
export interface ConversationSummary {
  id: string
  /** Empty until the first question names it. */
  title: string
  pinned: boolean
  created_at: number
  updated_at: number
  message_count: number
}

export type Role = 'system' | 'user' | 'assistant'

/** `running` while it is made; `interrupted` when the program ended meanwhile (the text so far is kept). */
export type MessageState = 'complete' | 'running' | 'cancelled' | 'interrupted' | 'failed'

export interface MessageMetrics {
  total_time_ms: number
  loading_time_ms: number
  prefill_time_ms: number
  inference_time_ms: number
  time_to_first_token_ms: number
  prompt_tokens: number
  completion_tokens: number
  cached_tokens: number
  prefill_tokens_per_second: number
  decode_tokens_per_second: number
}

export interface MessageError {
  code: string
  /** May end with a line `hint: …`. */
  message: string
}

/** A node of the conversation's tree. Siblings share a parent; `null` is the root. */
export interface Message {
  id: string
  parent: string | null
  role: Role
  content: string
  created_at: number
  state: MessageState
  /** Of answers: which model, why it ended, how fast. */
  model: string | null
  finish_reason: 'stop' | 'length' | 'cancelled' | null
  /** Decimal, since it may exceed what a JavaScript number holds. */
  seed: string | null
  error: MessageError | null
  metrics: MessageMetrics | null
}

export interface SamplingChoice {
  temperature: number | null
  top_p: number | null
  top_k: number | null
  min_p: number | null
  repetition_penalty: number | null
  /** Decimal. */
  seed: string | null
  max_tokens: number | null
}

export interface Conversation {
  summary: ConversationSummary
  /** Every node, oldest first. */
  messages: Message[]
  /** The last message of the branch that is shown. */
  leaf: string | null
  system_prompt: string
  preset_id: string | null
  sampling: SamplingChoice
  draft: string
}

export interface Preset {
  id: string
  name: string
  system_prompt: string
  sampling: SamplingChoice
}

export interface SearchHit {
  conversation_id: string
  conversation_title: string
  /** `null` when the title matched. */
  message_id: string | null
  role: Role | null
  created_at: number
  /** Plain text; matches lie in `marks` as [start, end) UTF-16 offsets. */
  snippet: string
  marks: [number, number][]
}

/** A new question below `parent` (`null`: a first message). Editing is asking again below the edited message's parent. */
export interface AskRequest {
  conversation_id: string
  parent: string | null
  text: string
}

/** What arrives on the channel of one answer, in order: `stored`, then any of the middle ones, then `done` or `failed`. */
export type ChatEvent =
  | { type: 'stored'; question: Message | null; answer: Message }
  | { type: 'loading'; phase: string; done: number; total: number }
  | { type: 'prefill'; done_tokens: number; total_tokens: number }
  | { type: 'token'; text: string }
  | { type: 'done'; answer: Message; summary: ConversationSummary }
  | { type: 'failed'; answer: Message; summary: ConversationSummary }

/** How the context would be filled by the next question; tokens. */
export interface ContextUse {
  limit: number
  system: number
  history: number
  draft: number
  /** Kept free for the answer. */
  answer: number
}

export type ModelState = { state: 'ready' } | { state: 'broken'; reason: string }

export type ModelEntry = ModelState & {
  name: string
  active: boolean
  built_in: boolean
  source: string
  revision: string | null
  licence: string | null
  size_bytes: number
  path: string
}

export interface Unfinished {
  name: string
  source: string
  done_bytes: number
  total_bytes: number
}

export type Fit = 'comfortable' | 'tight' | 'too_large'

/** A published model this app knows of. */
export interface KnownModel {
  repo: string
  /** The file to fetch, when the repository holds several. */
  file: string | null
  name: string
  parameters: string
  download_bytes: number
  /** Memory while it answers. */
  memory_bytes: number
  context_tokens: number
  licence: string
  recommended: boolean
  fit: Fit
  /** Memory that is there now. */
  free_bytes: number
  installed: boolean
}

export interface LoadedModel {
  name: string
  /** `cpu` and the instruction set, in words. */
  backend: string
}

export interface ModelsView {
  installed: ModelEntry[]
  unfinished: Unfinished[]
  known: KnownModel[]
  loaded: LoadedModel | null
}

export type JobKind = 'pull' | 'import' | 'verify'
export type JobState = 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

/** Long work with progress; it survives navigation, a paused download also a restart. */
export interface Job {
  id: string
  kind: JobKind
  /** What it works on: a repository, a path, a model's name. */
  subject: string
  state: JobState
  /** In words: the file at hand, the phase, or what went wrong. */
  message: string
  done_bytes: number
  total_bytes: number
  bytes_per_second: number
  eta_seconds: number | null
}

export type Theme = 'system' | 'light' | 'dark'
export type Language = 'system' | 'en' | 'tr'

/** Differences from these defaults are what `settings.json` holds. */
export interface AppSettings {
  theme: Theme
  language: Language
  /** Text size factor, 0.75 to 2. */
  zoom: number
  send_on_enter: boolean
  sidebar_open: boolean
  onboarding_done: boolean
  /** The screen a stopped onboarding goes on with, 0 to 3. */
  onboarding_step: number
  threads: number
  most_threads: number
  kv: 'auto' | 'f32' | 'f16' | 'int8'
  max_tokens: number
  temperature: number
  top_p: number
  top_k: number
  min_p: number
  repetition_penalty: number
}

export interface GpuDevice {
  name: string
  total_bytes: number
  free_bytes: number
  driver: string
}

/** `r3mes doctor`, as data. */
export interface DoctorReport {
  version: string
  system: { name: string; architecture: string }
  cpu: {
    name: string
    physical_cores: number
    logical_cores: number
    threads: number
    isa: string
    isa_reason: string
    isa_available: string[]
    isa_rejected: string[]
  }
  memory: { total_bytes: number; available_bytes: number }
  gpu: { devices: GpuDevice[]; used: boolean; reason: string }
  backend: string
  folders: { home: string; home_reason: string; models: string; free_bytes: number | null; writable: boolean }
  model: { name: string; reason: string } & ModelState
  problems: string[]
}

export interface OutboundHost {
  host: string
  /** In words of the interface's language key: when it is contacted. */
  purpose: 'model_hub' | 'model_hub_files'
  enabled: boolean
}

/** Everything the first paint needs. */
export interface Start {
  version: string
  settings: AppSettings
  conversations: ConversationSummary[]
  presets: Preset[]
  active_model: string
  home: string
  /** Set when the last start lost something a person should know of. */
  notices: string[]
}

export type ExportFormat = 'markdown' | 'json' | 'jsonl'

/** What changed elsewhere; the window reads it again. */
export type Change = 'conversations' | 'models' | 'jobs' | 'settings'
