import { afterEach, describe, expect, test, vi } from 'vitest'
import { KEYMAP, SHORTCUT_GROUPS, Shortcuts } from './shortcuts.svelte'

function keydown(init: KeyboardEventInit): KeyboardEvent {
  return new KeyboardEvent('keydown', { cancelable: true, ...init })
}

afterEach(() => document.body.replaceChildren())

describe('shortcuts', () => {
  test('the last one bound acts, and gives way again', () => {
    const shortcuts = new Shortcuts('Linux x86_64')
    const first = vi.fn()
    const second = vi.fn()
    shortcuts.bind('search', first)
    const off = shortcuts.bind('search', second)
    const event = keydown({ key: 'k', code: 'KeyK', ctrlKey: true })
    shortcuts.handle(event)
    expect([first.mock.calls.length, second.mock.calls.length, event.defaultPrevented]).toEqual([0, 1, true])
    off()
    shortcuts.handle(keydown({ key: 'k', code: 'KeyK', ctrlKey: true }))
    expect(first).toHaveBeenCalledOnce()
  })

  test('one that does nothing leaves the key alone', () => {
    const shortcuts = new Shortcuts('Linux x86_64')
    shortcuts.bind('chat.stop', () => false)
    const event = keydown({ key: 'Escape', code: 'Escape' })
    shortcuts.handle(event)
    expect(event.defaultPrevented).toBe(false)
  })

  test('the web view never reloads', () => {
    const event = keydown({ key: 'r', code: 'KeyR', ctrlKey: true })
    new Shortcuts('Linux x86_64').handle(event)
    expect(event.defaultPrevented).toBe(true)
  })

  test('nothing acts while a word is being composed', () => {
    const shortcuts = new Shortcuts('Linux x86_64')
    const act = vi.fn()
    shortcuts.bind('search', act)
    shortcuts.handle(keydown({ key: 'k', code: 'KeyK', ctrlKey: true, isComposing: true }))
    expect(act).not.toHaveBeenCalled()
  })

  test('an open dialog keeps its keys, except for the text size', () => {
    const shortcuts = new Shortcuts('Linux x86_64')
    const [search, zoom] = [vi.fn(), vi.fn()]
    shortcuts.bind('search', search)
    shortcuts.bind('zoom.in', zoom)
    document.body.innerHTML = '<div role="dialog" data-state="open"></div>'
    shortcuts.handle(keydown({ key: 'k', code: 'KeyK', ctrlKey: true }))
    shortcuts.handle(keydown({ key: '+', code: 'Equal', ctrlKey: true, shiftKey: true }))
    expect([search.mock.calls.length, zoom.mock.calls.length]).toEqual([0, 1])
  })

  test('the sheet shows every shortcut once', () => {
    const shown = SHORTCUT_GROUPS.flatMap((group) => group.ids)
    expect([...shown].sort()).toEqual(Object.keys(KEYMAP).sort())
  })

  test('no chord is given twice', () => {
    const all = Object.values(KEYMAP).flat()
    expect(new Set(all).size).toBe(all.length)
  })
})
