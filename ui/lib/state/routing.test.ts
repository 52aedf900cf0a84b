import { describe, expect, test } from 'vitest'
import { EXPERT_SETTINGS, routeOf } from '../api/fake/router'
import { metricsOf } from '../api/fake/seed'
import type { PlannedExpert, Routing } from '../api/types'
import { keptAgainst, markedQuestion, stagesOf, whoAnswers } from './routing'

const planned = (expert_id: string, weight: number): PlannedExpert => ({
  expert_id,
  weight,
  generation: 'sha256:1',
  tier: 'ram',
  resident_bytes: 1,
  fetched: false,
})
const routing = (question: string, experts: PlannedExpert[], kept: string | null = null): Routing => ({
  route: routeOf(question, EXPERT_SETTINGS, kept),
  experts,
  verdict: '',
})

describe('who answers', () => {
  test('stands strongest first, with the score where there is one', () => {
    const who = whoAnswers(routing('What is a contract?', [planned('legal_dora', 0.3), planned('mine', 0.7)]))
    expect(who.map(({ id, score }) => [id, score === null])).toEqual([
      ['mine', true],
      ['legal_dora', false],
    ])
  })

  test('is nobody where the base model answers', () => {
    expect(whoAnswers(routing('x', []))).toEqual([])
  })

  test('is compared with whoever would have scored more, where somebody stayed', () => {
    const kept = keptAgainst(routing('And in one sentence?', [planned('legal_dora', 1)], 'legal_dora'))!
    expect(kept.kept.expert_id).toBe('legal_dora')
    expect(kept.best.fused).toBeGreaterThan(kept.kept.fused)
    expect(keptAgainst(routing('What is a contract?', [planned('legal_dora', 1)]))).toBeNull()
  })
})

describe('the question', () => {
  test('is cut at the words that spoke for somebody, and nothing of it is lost', () => {
    const { scores } = routeOf('Kira sözleşmesi ve kiracı: kira?', EXPERT_SETTINGS)
    const parts = markedQuestion('Kira sözleşmesi ve kiracı: kira?', scores)
    expect(parts.map((part) => part.text).join('')).toBe('Kira sözleşmesi ve kiracı: kira?')
    expect(parts.filter((part) => part.marked).map((part) => [part.text, part.expert])).toEqual([
      ['Kira', 'legal_dora'],
      ['sözleşmesi', 'legal_dora'],
      ['kiracı', 'legal_dora'],
      ['kira', 'legal_dora'],
    ])
  })

  test('has no marks inside other words', () => {
    const { scores } = routeOf('law', EXPERT_SETTINGS)
    expect(markedQuestion('flaw law', scores).filter((part) => part.marked).length).toBe(1)
    expect(markedQuestion('', scores)).toEqual([])
  })
})

describe('the stages', () => {
  test('follow each other and add up', () => {
    const stages = stagesOf({ ...metricsOf('one two three', 40), loading_time_ms: 10, time_to_first_token_ms: 300 })
    expect(stages.map((stage) => stage.name)).toEqual(['routing', 'loading', 'prefill', 'first', 'decode'])
    for (const [index, stage] of stages.slice(1).entries()) {
      expect(stage.from).toBeCloseTo(stages[index]!.from + stages[index]!.ms)
    }
  })

  test('are never negative, and without a token there was no first one', () => {
    const stages = stagesOf({ ...metricsOf('one', 40), completion_tokens: 0, time_to_first_token_ms: 0 })
    expect(stages.find((stage) => stage.name === 'first')!.ms).toBe(0)
    expect(stages.every((stage) => stage.ms >= 0)).toBe(true)
  })
})
