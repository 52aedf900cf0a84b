import { describe, expect, test } from 'vitest'
import { caps, chord, matches, type KeyPress } from './keys'

function press(text: string, key: string, code: string): KeyPress {
  const parts = text.split('+')
  return {
    key,
    code,
    ctrlKey: parts.includes('Ctrl'),
    metaKey: parts.includes('Meta'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
  }
}

const cases: [chord: string, pressed: [string, string, string], layout: string, expected: boolean][] = [
  ['Mod+K', ['Ctrl', 'k', 'KeyK'], 'US', true],
  ['Mod+K', ['Ctrl', 'K', 'KeyK'], 'with Caps Lock', true],
  ['Mod+K', ['Ctrl+Shift', 'K', 'KeyK'], 'with Shift', false],
  ['Mod+K', ['Alt+Ctrl', 'k', 'KeyK'], 'with Alt', false],
  ['Mod+K', ['', 'k', 'KeyK'], 'alone', false],
  ['Mod+K', ['Ctrl', 'л', 'KeyK'], 'Russian', true],
  ['Mod+Q', ['Ctrl', 'q', 'KeyA'], 'French', true],
  ['Mod+A', ['Ctrl', 'q', 'KeyA'], 'French', false],
  ['Mod+I', ['Ctrl', 'ı', 'KeyI'], 'Turkish-Q, the key without a dot', true],
  ['Mod+I', ['Ctrl', 'i', 'Quote'], 'Turkish-Q, the key with a dot', true],
  ['Mod+I', ['Ctrl', 'İ', 'Quote'], 'Turkish-Q with Caps Lock', true],
  ['Mod+/', ['Ctrl+Shift', '/', 'Digit7'], 'Turkish-Q', true],
  ['Mod+/', ['Ctrl', '/', 'Slash'], 'US', true],
  ['Mod+/', ['Ctrl', '.', 'Slash'], 'Turkish-Q, the key where the US has it', false],
  ['Mod+,', ['Ctrl', ',', 'Backslash'], 'Turkish-Q', true],
  ['Mod+1', ['Ctrl', '1', 'Digit1'], 'US', true],
  ['Mod+1', ['Ctrl', '&', 'Digit1'], 'French', true],
  ['Mod+1', ['Ctrl', '1', 'Numpad1'], 'the number pad', true],
  ['Mod+0', ['Ctrl+Shift', '=', 'Digit0'], 'Turkish-Q, writing =', false],
  ['Mod+=', ['Ctrl+Shift', '=', 'Digit0'], 'Turkish-Q, writing =', true],
  ['Mod++', ['Ctrl+Shift', '+', 'Digit4'], 'Turkish-Q', true],
  ['Mod++', ['Ctrl', '+', 'NumpadAdd'], 'the number pad', true],
  ['Mod+-', ['Ctrl', '-', 'Equal'], 'Turkish-Q', true],
  ['Mod+Shift+;', ['Ctrl+Shift', ':', 'Semicolon'], 'US', true],
  ['Mod+Shift+;', ['Ctrl', ';', 'Semicolon'], 'US without Shift', false],
  ['Escape', ['', 'Escape', 'Escape'], 'any', true],
  ['Escape', ['Shift', 'Escape', 'Escape'], 'with Shift', false],
  ['Shift+Escape', ['Shift', 'Escape', 'Escape'], 'any', true],
]

describe('chords', () => {
  test.each(cases)('%s against %j (%s): %s', (wanted, [modifiers, key, code], _layout, expected) => {
    expect(matches(chord(wanted), press(modifiers, key, code), false)).toBe(expected)
  })

  test('on a Mac it is the command key, and only that', () => {
    expect(matches(chord('Mod+K'), press('Meta', 'k', 'KeyK'), true)).toBe(true)
    expect(matches(chord('Mod+K'), press('Ctrl', 'k', 'KeyK'), true)).toBe(false)
    expect(matches(chord('Mod+K'), press('Meta', 'k', 'KeyK'), false)).toBe(false)
  })

  test('AltGr writes a letter and is no shortcut', () => {
    const altGr = { ...press('Ctrl', '1', 'Digit1'), getModifierState: (name: string) => name === 'AltGraph' }
    expect(matches(chord('Mod+1'), altGr, false)).toBe(false)
  })

  test('caps are written as the keyboard shows them', () => {
    expect(caps(chord('Mod+Shift+O'), false)).toEqual(['Ctrl', 'Shift', 'O'])
    expect(caps(chord('Mod+Shift+O'), true)).toEqual(['⌘', '⇧', 'O'])
    expect(caps(chord('Mod++'), false)).toEqual(['Ctrl', '+'])
    expect(caps(chord('Alt+ArrowLeft'), false)).toEqual(['Alt', '←'])
  })
})
