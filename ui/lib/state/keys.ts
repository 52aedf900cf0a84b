// Chords of keys, read so that they work on every keyboard: letters by what they write, digits by where they are,
// signs by what they write, whatever it takes to write them. On Turkish-Q `/` is Shift+7, and `i` and `ı` are one key each.

export interface Chord {
  mod: boolean
  shift: boolean
  alt: boolean
  /** A small letter, a digit, a sign, or a name such as `Escape`. */
  key: string
}

export interface KeyPress {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  shiftKey: boolean
  altKey: boolean
  getModifierState?: (name: string) => boolean
}

/** `Mod+Shift+O`; Mod is ⌘ on a Mac and Ctrl elsewhere. */
export function chord(text: string): Chord {
  const parts = text.endsWith('++') ? [...text.slice(0, -2).split('+'), '+'] : text.split('+')
  const key = parts.pop()!
  return {
    mod: parts.includes('Mod'),
    shift: parts.includes('Shift'),
    alt: parts.includes('Alt'),
    key: key.length === 1 ? key.toLowerCase() : key,
  }
}

const TURKISH_I = new Set(['i', 'ı', 'İ', 'I'])

/** The letter a key writes; where the layout writes none of ours, the letter printed on the usual key there. */
function letterOf(press: KeyPress): string | null {
  if (TURKISH_I.has(press.key)) return 'i'
  if (/^[a-z]$/i.test(press.key)) return press.key.toLowerCase()
  const latin = /^\p{Script=Latin}$/u.test(press.key)
  const place = /^Key([A-Z])$/.exec(press.code)
  return !latin && place ? place[1]!.toLowerCase() : null
}

function digitOf(press: KeyPress): string | null {
  return /^(?:Digit|Numpad)(\d)$/.exec(press.code)?.[1] ?? null
}

export function matches(wanted: Chord, press: KeyPress, mac: boolean): boolean {
  if (press.getModifierState?.('AltGraph')) return false
  const mod = mac ? press.metaKey : press.ctrlKey
  const other = mac ? press.ctrlKey : press.metaKey
  if (mod !== wanted.mod || other || press.altKey !== wanted.alt) return false
  if (/^[a-z]$/.test(wanted.key)) return press.shiftKey === wanted.shift && letterOf(press) === wanted.key
  if (/^\d$/.test(wanted.key)) return press.shiftKey === wanted.shift && digitOf(press) === wanted.key
  if (wanted.key.length > 1) return press.shiftKey === wanted.shift && press.key === wanted.key
  // A sign may need Shift to be written; only a chord that names Shift asks for it.
  if (wanted.shift && !press.shiftKey) return false
  return press.key === wanted.key || (wanted.shift && shifted(wanted.key) === press.key)
}

/** What a US keyboard writes for a sign together with Shift. */
function shifted(sign: string): string | undefined {
  return { ';': ':', ',': '<', '.': '>', '/': '?', '-': '_', '=': '+' }[sign]
}

const MAC_NAMES: Record<string, string> = { Mod: '⌘', Shift: '⇧', Alt: '⌥' }
const KEY_NAMES: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  '-': '−',
}

/** Each key as it is printed for people. */
export function caps(wanted: Chord, mac: boolean): string[] {
  const names = [wanted.mod && 'Mod', wanted.alt && 'Alt', wanted.shift && 'Shift'].filter(Boolean) as string[]
  const shown = names.map((name) => (mac ? MAC_NAMES[name]! : name === 'Mod' ? 'Ctrl' : name))
  const key = KEY_NAMES[wanted.key] ?? (wanted.key.length === 1 ? wanted.key.toUpperCase() : wanted.key)
  return [...shown, key]
}

export function isMac(platform: string): boolean {
  return /mac/i.test(platform)
}
