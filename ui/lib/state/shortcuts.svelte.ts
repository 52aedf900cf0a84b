// The keyboard map, and who acts on which entry. A view binds what it can do while it is shown.

import { caps, chord, isMac, matches, type Chord, type KeyPress } from './keys'

/** In the order of the sheet. A second chord is an alias that other programs use. */
export const KEYMAP = {
  'chat.new': ['Mod+N', 'Mod+Shift+O'],
  search: ['Mod+K'],
  sidebar: ['Mod+B'],
  inspector: ['Mod+I'],
  settings: ['Mod+,'],
  'shortcut.sheet': ['Mod+/'],
  back: ['Alt+ArrowLeft'],
  forward: ['Alt+ArrowRight'],
  'section.chat': ['Mod+1'],
  'section.experts': ['Mod+2'],
  'section.models': ['Mod+3'],
  'section.hardware': ['Mod+4'],
  'section.settings': ['Mod+5'],
  'zoom.in': ['Mod++', 'Mod+='],
  'zoom.out': ['Mod+-'],
  'zoom.reset': ['Mod+0'],
  'chat.send': ['Enter'],
  'chat.newline': ['Shift+Enter'],
  'chat.stop': ['Escape'],
  'chat.focusComposer': ['Shift+Escape'],
  'chat.regenerate': ['Mod+R'],
  'chat.recallLast': ['ArrowUp'],
  'chat.copyLast': ['Mod+Shift+C'],
  'chat.copyCode': ['Mod+Shift+;'],
  'expert.pick': ['Mod+L'],
  'model.pick': ['Mod+Shift+L'],
  'preset.pick': ['Mod+J'],
} as const satisfies Record<string, readonly string[]>

export type ShortcutId = keyof typeof KEYMAP

export const SHORTCUT_GROUPS: { name: 'general' | 'go' | 'chat' | 'view'; ids: ShortcutId[] }[] = [
  {
    name: 'general',
    ids: ['chat.new', 'search', 'sidebar', 'settings', 'shortcut.sheet', 'model.pick'],
  },
  {
    name: 'chat',
    ids: [
      'chat.send',
      'chat.newline',
      'chat.stop',
      'chat.focusComposer',
      'chat.regenerate',
      'chat.recallLast',
      'chat.copyLast',
      'chat.copyCode',
      'expert.pick',
      'preset.pick',
      'inspector',
    ],
  },
  {
    name: 'go',
    ids: [
      'section.chat',
      'section.experts',
      'section.models',
      'section.hardware',
      'section.settings',
      'back',
      'forward',
    ],
  },
  { name: 'view', ids: ['zoom.in', 'zoom.out', 'zoom.reset'] },
]

/** What a person does inside a field, and no field of the window listens for here. */
const LOCAL: readonly ShortcutId[] = ['chat.send', 'chat.newline', 'chat.recallLast']
/** What works above an open dialog, too. */
const EVERYWHERE: readonly ShortcutId[] = ['zoom.in', 'zoom.out', 'zoom.reset']

/** Answers `false` when it did nothing and the key should have its usual effect. */
export type Act = () => boolean | void

export class Shortcuts {
  readonly mac: boolean
  #chords = new Map<ShortcutId, Chord[]>()
  #bound = new Map<ShortcutId, Act[]>()

  constructor(platform: string) {
    this.mac = isMac(platform)
    for (const [id, texts] of Object.entries(KEYMAP)) this.#chords.set(id as ShortcutId, texts.map(chord))
  }

  /** The last one bound acts. Answers how to take it back. */
  bind(id: ShortcutId, act: Act): () => void {
    const acts = this.#bound.get(id) ?? []
    this.#bound.set(id, [...acts, act])
    return () =>
      this.#bound.set(
        id,
        (this.#bound.get(id) ?? []).filter((other) => other !== act),
      )
  }

  bindAll(acts: Partial<Record<ShortcutId, Act>>): () => void {
    const offs = Object.entries(acts).map(([id, act]) => this.bind(id as ShortcutId, act))
    return () => offs.forEach((off) => off())
  }

  handle(event: KeyPress & { defaultPrevented: boolean; isComposing: boolean; preventDefault: () => void }): void {
    if (event.defaultPrevented || event.isComposing) return
    const modal =
      document.querySelector('[role="dialog"][data-state="open"], [role="menu"][data-state="open"]') !== null
    for (const [id, chords] of this.#chords) {
      if (LOCAL.includes(id) || (modal && !EVERYWHERE.includes(id))) continue
      if (!chords.some((wanted) => matches(wanted, event, this.mac))) continue
      const act = this.#bound.get(id)?.at(-1)
      if (act && act() !== false) event.preventDefault()
      // Never the web view's own reload, print or new window.
      else if (id === 'chat.regenerate' || id === 'chat.new') event.preventDefault()
      return
    }
  }

  caps(id: ShortcutId): string[] {
    return caps(this.#chords.get(id)![0]!, this.mac)
  }

  /** In one line, for tips and menus. */
  text(id: ShortcutId): string {
    return this.caps(id).join(this.mac ? '' : '+')
  }
}
