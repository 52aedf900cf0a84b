// A router as the core's, but with a handful of words: the same question always goes the same way.

import type { ExpertScore, ExpertSettings, ExpertWeight, MatchedWord, Route, RouteReason } from '../types'
import { isTurkish } from './answers'
import { FIELDS, type Field } from './lexicon'

export const EXPERT_SETTINGS: ExpertSettings = {
  router_enabled: true,
  keyword_weight: 0.3,
  semantic_weight: 0.7,
  fast_path: 0.85,
  fallback: 0.5,
  reject: 0.15,
  preload: true,
  ram_budget_bytes: null,
  vram_budget_bytes: null,
}

const MOST = 3
const JOINS = 0.6
const FALLBACK = 'general_dora'

function matches(question: string, field: Field): MatchedWord[] {
  const words = question.match(/[\p{L}\p{N}]+/gu) ?? []
  return words
    .flatMap((text) => {
      const found = field.words.find(([word]) => text.toLocaleLowerCase('tr').startsWith(word))
      return found ? [{ text, entry: found[0], weight: found[1] }] : []
    })
    .sort((a, b) => b.weight - a.weight)
}

/** The same number for the same words, from 0 to 1. */
function noise(text: string): number {
  let sum = 7
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0
  return (sum % 1000) / 1000
}

function score(id: string, field: Field, question: string, settings: ExpertSettings): ExpertScore {
  const matched = matches(question, field)
  const keyword = 1 - matched.reduce((rest, word) => rest * (1 - word.weight), 1)
  const semantic = Math.min(
    0.97,
    matched.length > 0 ? 0.58 + 0.3 * keyword + 0.08 * noise(question) : 0.22 * noise(id + question),
  )
  const fused = (settings.keyword_weight * keyword + settings.semantic_weight * semantic) / weightSum(settings)
  return {
    expert_id: id,
    keyword,
    semantic,
    fused,
    why: matched.map((word) => `matched: ${word.entry}`),
    matched,
    nearest: field.examples
      .map((text) => ({ text, similarity: Math.max(0.05, semantic - 0.18 * noise(text)) }))
      .sort((a, b) => b.similarity - a.similarity),
  }
}

function choose(scores: ExpertScore[], settings: ExpertSettings): { reason: RouteReason; chosen: ExpertScore[] } {
  const best = scores[0]
  if (!best || best.fused < settings.reject) return { reason: 'rejected', chosen: [] }
  if (best.keyword >= settings.fast_path) return { reason: 'fast_path', chosen: [best] }
  if (best.fused < settings.fallback) {
    const fallback = scores.find((one) => one.expert_id === FALLBACK)
    return { reason: 'fallback', chosen: fallback ? [fallback] : [] }
  }
  return { reason: 'fused', chosen: scores.filter((one) => one.fused >= JOINS * best.fused).slice(0, MOST) }
}

const weightSum = (settings: ExpertSettings) => settings.keyword_weight + settings.semantic_weight || 1

export function weights(chosen: { expert_id: string; fused: number }[]): ExpertWeight[] {
  const total = chosen.reduce((sum, one) => sum + one.fused, 0) || 1
  return chosen.map((one) => ({ expert_id: one.expert_id, weight: one.fused / total }))
}

const WORDS: Record<RouteReason, string> = {
  none: 'no question was routed',
  fast_path: 'the keyword stage is sure enough to decide alone',
  fused: 'both stages together',
  fallback: 'no expert is sure, so the fallback joins',
  rejected: 'no expert fits; the base model answers',
  kept: 'the expert of the previous answer stays: another would gain 0.08, reading 640 tokens again costs 1.6 s',
  forced: 'named by the person who asks',
}

export function routeOf(question: string, settings: ExpertSettings, kept: string | null = null): Route {
  const turkish = isTurkish(question)
  const scores = Object.entries(FIELDS)
    .map(([id, field]) => score(id, field, question, settings))
    .sort((a, b) => b.fused - a.fused)
  let { reason, chosen } = choose(scores, settings)
  const before = scores.find((one) => one.expert_id === kept)
  // A follow-up alone says little: who answered before goes on.
  if (before && (reason === 'fallback' || reason === 'rejected') && before !== chosen[0]) {
    reason = 'kept'
    chosen = [before]
    const other = scores.find((one) => one !== before)!
    for (const [one, semantic] of [
      [before, 0.48],
      [other, 0.56],
    ] as const) {
      one.semantic = semantic
      one.fused = (settings.keyword_weight * one.keyword + settings.semantic_weight * semantic) / weightSum(settings)
    }
    scores.sort((a, b) => b.fused - a.fused)
  }
  if (reason === 'fast_path') {
    for (const one of scores) Object.assign(one, { semantic: 0, fused: one.keyword, nearest: [] })
    scores.sort((a, b) => b.fused - a.fused)
  }
  return {
    used_fast_path: reason === 'fast_path',
    scores,
    dropped: [],
    candidates: reason === 'kept' ? [{ expert_id: kept!, weight: 1 }] : weights(chosen),
    reason,
    reason_text: WORDS[reason],
    language: question.trim() ? (turkish ? 'tr' : 'en') : null,
    keyword_ms: 0.018,
    semantic_ms: reason === 'fast_path' ? 0 : 0.14,
  }
}

export function forced(question: string, ids: string[], settings: ExpertSettings): Route {
  return {
    ...routeOf(question, settings),
    used_fast_path: false,
    candidates: ids.map((expert_id) => ({ expert_id, weight: 1 / ids.length })),
    reason: 'forced',
    reason_text: WORDS.forced,
  }
}
