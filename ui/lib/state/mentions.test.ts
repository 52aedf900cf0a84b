import { describe, expect, test } from 'vitest'
import { expertsAt } from '../api/fake/expertList'
import { Mentioning } from './mentioning.svelte'
import { callNames, completions, mentionAt, takeMentions } from './mentions'

const experts = expertsAt(0)
const ids = (query: string) => completions({ start: 0, end: 1, query }, experts).map((one) => one.expert_id)

describe('a mention', () => {
  test.each([
    ['@med', 4, 'med'],
    ['ask @tıp now', 8, 'tıp'],
    ['ask @tıp now', 6, 't'],
    ['@', 1, ''],
  ])('stands at the caret of %j', (text, caret, query) => expect(mentionAt(text, caret)?.query).toBe(query))

  test.each([
    ['a@b.c', 3],
    ['ask @tıp now', 12],
    ['@med', 0],
  ])('does not stand in %j at %i', (text, caret) => expect(mentionAt(text, caret)).toBeNull())

  test('finds experts by their names in both languages, whatever the letters', () => {
    expect(ids('tı')).toEqual(['medical_dora'])
    expect(ids('TIP')).toEqual(['medical_dora'])
    expect(ids('türk')).toEqual(['turkish_dora'])
    expect(ids('turk')).toEqual(['turkish_dora'])
    expect(ids('zzz')).toEqual([])
  })

  test('offers those first that can answer', () => {
    expect(ids('').indexOf('science_dora')).toBeGreaterThan(ids('').indexOf('tarim-uzmani'))
  })

  test('may be the id or the name that a person gave', () => {
    expect(callNames(experts.find((one) => one.expert_id === 'tarim-uzmani')!)).toEqual(['tarim-uzmani'])
  })
})

describe('sending', () => {
  test('takes the experts out of the text', () => {
    expect(takeMentions('@medical what is  it?', experts)).toEqual({ text: 'what is it?', ids: ['medical_dora'] })
    expect(takeMentions('what is it, @hukuk @tıp', experts)).toEqual({
      text: 'what is it,',
      ids: ['legal_dora', 'medical_dora'],
    })
  })

  test('leaves everything else as it is', () => {
    const text = 'mail  me@example.com or @nobody'
    expect(takeMentions(text, experts)).toEqual({ text, ids: [] })
  })

  test('addresses three at most', () => {
    const { text, ids: named } = takeMentions('@tıp @hukuk @yazılım @finans x', experts)
    expect([text, named.length]).toEqual(['@finans x', 3])
  })
})

describe('the list under @', () => {
  test('moves around its ends, completes, and stays closed where it was closed', () => {
    const list = new Mentioning(() => experts)
    list.look('hi @', 4)
    expect([list.open, list.chosen]).toEqual([true, 0])
    list.move(-1)
    expect(list.chosen).toBe(experts.length - 1)
    list.look('hi @me', 6)
    expect(list.complete('hi @me rest', 'medical')).toEqual({ text: 'hi @medical rest', caret: 12 })
    expect(list.open).toBe(false)
    list.look('@m', 2)
    list.close()
    list.look('@me', 3)
    expect(list.open).toBe(false)
    list.look('@me @h', 6)
    expect(list.open).toBe(true)
  })
})
