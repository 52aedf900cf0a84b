// What the window and the core say to each other about experts. Written by hand in the words of the core's JSON, until the
// bindings are generated from it; then this file goes.

import type * as core from './generated/bindings'

/** Where an adapter is resident. */
export type Tier = 'vram' | 'ram' | 'disk'

/** How an adapter changes a linear. */
export type AdapterKind = 'weight_decomposed' | 'additive' | 'low_rank'

/** One expert, installed or known by name only. */
export type ExpertEntry = {
  expert_id: string
  domain: string
  registered: boolean
  tier: Tier | null
  size_bytes: number
  resident_bytes: number | null
  /** `sha256:…` of its files; empty when not installed. */
  generation: string
  pinned: boolean
  /** Why it cannot be used. */
  error?: string
  name: string
  description: string
  licence: string | null
  base_model: string | null
  kind: AdapterKind | null
  rank: number | null
  /** Example questions it brings for the router. */
  examples: number
  evaluation: EvaluationFigure[]
  /** Questions that found it in memory, and those that fetched it from disk, since the program started. */
  hits: number
  misses: number
  last_used_ms: number | null
}

export type EvaluationFigure = { name: string; base: number; expert: number; lower_is_better: boolean }

export type TierReport = {
  tier: Tier
  present: boolean
  reason: string
  /** 0 when absent, the free space for the disk. */
  budget_bytes: number
  used_bytes: number
  experts: string[]
  hits: number
  evictions: number
}

export type PreloadReport = { expert_id: string; tier: Tier | null; ms: number; error?: string }

export type MatchedWord = { text: string; entry: string; weight: number }
export type NearestExample = { text: string; similarity: number }

/** Scores are calibrated probabilities from 0 to 1. */
export type ExpertScore = {
  expert_id: string
  keyword: number
  semantic: number
  fused: number
  why: string[]
  matched: MatchedWord[]
  nearest: NearestExample[]
}

export type ExpertWeight = { expert_id: string; weight: number }
export type ExpertDropped = { expert_id: string; reason: string }
export type RouteReason = 'none' | 'fast_path' | 'fused' | 'fallback' | 'rejected' | 'kept' | 'forced'

/** Who was considered for the question. */
export type Route = {
  used_fast_path: boolean
  scores: ExpertScore[]
  dropped: ExpertDropped[]
  candidates: ExpertWeight[]
  reason: RouteReason
  reason_text: string
  language: string | null
  keyword_ms: number
  semantic_ms: number
}

/** An expert that helps with an answer, and where it is. */
export type PlannedExpert = {
  expert_id: string
  weight: number
  generation: string
  tier: Tier
  resident_bytes: number
  /** Whether it had to be read from disk for this answer. */
  fetched: boolean
}

/** Who was considered for an answer, and who helped; kept with the answer. */
export type Routing = { route: Route; experts: PlannedExpert[] }

/** Who should have answered; `null` is the base model. */
export type ExpertLabel = { expert_id: string | null }

/** Who is to answer. */
export type ExpertChoice = { mode: 'auto' } | { mode: 'pinned'; ids: string[] } | { mode: 'base' }

/** How questions are routed, and how adapters are kept. */
export type ExpertSettings = {
  router_enabled: boolean
  keyword_weight: number
  semantic_weight: number
  fast_path: number
  fallback: number
  reject: number
  preload: boolean
  /** `null`: chosen by the program. */
  ram_budget_bytes: number | null
  vram_budget_bytes: number | null
}

export type ExpertSettingsView = { now: ExpertSettings; defaults: ExpertSettings }

/** Accuracy on the labels, from 0 to 1. */
export type RefitReport = { labels: number; before: number; after: number }

export type RouterLabels = {
  /** Answers that carry a label. */
  total: number
  /** Those of them that no refit has seen. */
  unused: number
  /** The refit in use, which can be undone. */
  refit: RefitReport | null
}

/** A file of questions whose expert is known, routed one by one. */
export type RouteFileReport = {
  rows: number
  correct: number
  /** Lines that could not be read. */
  skipped: number
  macro_f1: number
  /** Per question. */
  mean_ms: number
  /** Names of rows and columns; an empty one is the base model. */
  experts: string[]
  /** `confusion[expected][routed]`. */
  confusion: number[][]
}

/** Files held over the window, and let go. */
export type FileDrop = { type: 'over' | 'drop' | 'leave'; paths: string[] }

export type MessageMetrics = core.MessageMetrics & {
  routing_time_ms?: number
  /** Of `loading_time_ms`, the part that fetched adapters. */
  expert_loading_time_ms?: number
}

export type Message = Omit<core.Message, 'metrics'> & {
  metrics: MessageMetrics | null
  /** Absent in messages from before there were experts. */
  routing?: Routing | null
  expert_label?: ExpertLabel | null
}

export type Conversation = Omit<core.Conversation, 'messages'> & { messages: Message[] }
export type AskRequest = core.AskRequest & { experts?: ExpertChoice }
export type Change = core.Change | 'experts'

type Ended = { type: 'done' | 'failed'; answer: Message; summary: core.ConversationSummary }

export type ChatEvent =
  | Exclude<core.ChatEvent, { type: 'stored' | 'done' | 'failed' }>
  | { type: 'stored'; question: Message | null; answer: Message }
  /** Before anything is loaded or read. */
  | ({ type: 'routed' } & Routing)
  | Ended
