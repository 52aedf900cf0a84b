// What an answer's routing says, in numbers and names ready to be shown.

import type { ExpertScore, MessageMetrics, Routing } from '../api/types'
import type { Segment } from './palette.svelte'
import { segments } from './palette.svelte'

export interface Who {
  id: string
  /** Its share of the mix, from 0 to 1. */
  weight: number
  /** Its common score, where it was scored. */
  score: number | null
}

/** Who answers, strongest first; empty is the base model. */
export function whoAnswers({ route, experts }: Routing): Who[] {
  return [...experts]
    .sort((a, b) => b.weight - a.weight)
    .map(({ expert_id: id, weight }) => ({
      id,
      weight,
      score: route.scores.find((score) => score.expert_id === id)?.fused ?? null,
    }))
}

/** Where an expert stayed although another scored higher. */
export function keptAgainst({ route, experts }: Routing): { kept: ExpertScore; best: ExpertScore } | null {
  if (route.reason !== 'kept') return null
  const kept = route.scores.find((score) => score.expert_id === experts[0]?.expert_id)
  const best = route.scores.find((score) => score !== kept)
  return kept && best && best.fused > kept.fused ? { kept, best } : null
}

export interface Marked extends Segment {
  expert?: string
  weight?: number
}

/** The question cut at the words that the lexicon knows, each with the expert it speaks for most. */
export function markedQuestion(question: string, scores: readonly ExpertScore[]): Marked[] {
  const words = new Map<string, { expert: string; weight: number }>()
  for (const { expert_id: expert, matched } of scores) {
    for (const { text, weight } of matched) {
      if ((words.get(text)?.weight ?? -1) < weight) words.set(text, { expert, weight })
    }
  }
  const marks: [number, number][] = []
  for (const word of words.keys()) {
    if (!word) continue
    for (let at = question.indexOf(word); at >= 0; at = question.indexOf(word, at + word.length)) {
      if (isWhole(question, at, at + word.length)) marks.push([at, at + word.length])
    }
  }
  return segments(question, marks).map((part) => (part.marked ? { ...part, ...words.get(part.text) } : part))
}

/** Not inside another word; a suffix may follow. */
function isWhole(text: string, start: number, _end: number): boolean {
  return start === 0 || !/[\p{L}\p{N}]/u.test(text[start - 1]!)
}

export interface Stage {
  name: 'routing' | 'loading' | 'prefill' | 'first' | 'decode'
  ms: number
  /** When it began, from the beginning of all. */
  from: number
}

/** The stages of an answer one after the other. */
export function stagesOf(metrics: MessageMetrics): Stage[] {
  const routing = metrics.routing_time_ms ?? 0
  const before = routing + metrics.loading_time_ms + metrics.prefill_time_ms
  const parts: [Stage['name'], number][] = [
    ['routing', routing],
    ['loading', metrics.loading_time_ms],
    ['prefill', metrics.prefill_time_ms],
    ['first', metrics.completion_tokens > 0 ? metrics.time_to_first_token_ms - before : 0],
    ['decode', metrics.inference_time_ms],
  ]
  let from = 0
  return parts.map(([name, took]) => {
    const ms = Math.max(0, took)
    const stage = { name, ms, from }
    from += ms
    return stage
  })
}
