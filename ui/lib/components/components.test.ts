import { describe, expect, test } from 'vitest'
import { parseDecimal } from './decimal'
import { tone } from './meter'
import { Virtual } from './virtual.svelte'

describe('typed numbers', () => {
  test.each([
    ['0.7', 0.7],
    ['0,7', 0.7],
    [' 1.234,5 ', 1234.5],
    ['1,234.5', 1234.5],
    ['−2', -2],
    ['.5', 0.5],
    ['', null],
    ['abc', null],
    ['1e9', null],
  ])('%j is %s', (text, value) => expect(parseDecimal(text)).toBe(value))
})

test('a meter warns before it is full', () => {
  expect([tone(0.5), tone(0.7), tone(0.9)]).toEqual(['calm', 'warn', 'full'])
})

describe('a virtual list', () => {
  const items = Array.from({ length: 2000 }, (_, index) => `m${index}`)
  const make = () => {
    const list = new Virtual(
      () => items,
      (one) => one,
      () => 100,
      () => 200,
    )
    list.viewHeight = 600
    return list
  }

  test('draws only what can be seen and a little around it', () => {
    const list = make()
    list.scrollTop = 10_000
    expect([list.first, list.end]).toEqual([98, 109])
    expect(list.before + list.after + (list.end - list.first) * 100).toBe(list.total)
  })

  test('keeps what is read in its place when something above it grows', () => {
    const list = make()
    list.scrollTop = 10_050
    const anchor = list.anchor()!
    expect(anchor).toEqual({ key: 'm100', offset: -50 })
    expect(
      list.measure([
        ['m99', 340],
        ['m100', 100],
      ]),
    ).toBe(true)
    expect(list.topOf(anchor)).toBe(10_290)
    expect(list.measure([['m99', 340]])).toBe(false)
  })

  test('knows no place for what is gone', () => {
    expect(make().topOf({ key: 'other', offset: 0 })).toBeNull()
  })

  test('an empty list has no height', () => {
    const list = new Virtual<string>(
      () => [],
      (one) => one,
      () => 100,
      () => 200,
    )
    expect([list.total, list.anchor()]).toEqual([0, null])
    expect(list.end).toBe(0)
  })
})
