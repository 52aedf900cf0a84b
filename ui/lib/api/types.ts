// What the window and the core say to each other. The shapes are generated from Rust; here they have the names that the
// window uses. Sizes are bytes, times milliseconds since 1970 or `_ms`.

export type {
  AppSettings,
  ContextUse,
  ConversationSummary,
  DoctorReport,
  ExportFormat,
  Fit,
  GpuDevice,
  Job,
  JobKind,
  JobState,
  KnownModel,
  Language,
  LoadedModel,
  MessageError,
  MessageState,
  ModelEntry,
  ModelState,
  ModelsView,
  OutboundHost,
  Preset,
  Role,
  SamplingChoice,
  SearchHit,
  Start,
  Theme,
  Unfinished,
} from './generated/bindings'

export type * from './experts'
