// While text is still arriving its last block is cut anywhere: in a fence, in the middle of **bold**, before a table's
// second line. `closeTail` completes it for the eye, so that what is shown never jumps when the rest arrives.

/** `raw` is the last block of an answer that is still being made. */
export function closeTail(raw: string): string {
  if (/^ {0,3}(```|~~~)/.test(raw)) return raw.replace(/\n {0,3}[`~]{1,2}$/, '\n')
  if (raw.startsWith('|')) return closeInline(closeTable(raw))
  return closeInline(dropLoneMarker(raw))
}

/** One line of dashes below text would make a heading of it for a moment, a lone digit would join the line above. */
function dropLoneMarker(raw: string): string {
  return raw.replace(/\n[ \t]*(?:-{1,2}|=+|-{3,}|[*+]|#{1,6}|\d{1,3}[.)]?|[`~]{1,2}|\|)[ \t]*$/, '\n')
}

/** The line between head and body, before it has arrived. */
function closeTable(raw: string): string {
  const lines = raw.split('\n')
  const head = lines[0]!
  if (lines.length > 2 || (lines[1] !== undefined && !/^\|?[\s:|-]*$/.test(lines[1]))) return raw
  const cells = head
    .replace(/\\\|/g, '')
    .replace(/^\||\|\s*$/g, '')
    .split('|').length
  return `${head.trimEnd().endsWith('|') ? head : `${head}|`}\n|${'---|'.repeat(cells)}`
}

const DELIMITERS = ['***', '**', '~~', '__', '*', '_'] as const

/** Closes what is open in the last paragraph, list item or cell. */
function closeInline(raw: string): string {
  const start = lastPiece(raw)
  const head = raw.slice(0, start)
  const text = raw.slice(start)
  const open: string[] = []
  let at = 0
  while (at < text.length) {
    const rest = text.slice(at, at + 3)
    const char = text[at]!
    if (char === '\\') {
      const closer = rest[1] === '(' ? '\\)' : rest[1] === '[' ? '\\]' : null
      if (rest.length === 1) return head + text.slice(0, at) + closers(open)
      if (closer) {
        const end = text.indexOf(closer, at + 2)
        if (end < 0) return openMaths(head, text, at, 2, closer, open)
        at = end + 2
      } else at += 2
    } else if (char === '`') {
      const run = /^`+/.exec(text.slice(at))![0]
      const end = findRun(text, run, at + run.length)
      if (end < 0) {
        const inside = text.slice(at + run.length)
        return inside.trim() === '' ? head + text.slice(0, at) + closers(open) : head + text + run + closers(open)
      }
      at = end + run.length
    } else if (char === '$') {
      const mark = rest.startsWith('$$') ? '$$' : '$'
      const end = text.indexOf(mark, at + mark.length)
      const next = text[at + mark.length]
      if (end >= 0) at = end + mark.length
      else if (next === undefined || mark === '$$' || /[\\a-zA-Z({|]/.test(next)) {
        return openMaths(head, text, at, mark.length, mark, open)
      } else at += mark.length
    } else if (char === '[') {
      const link = /^\[([^\]\n]*)\]\([^)\n]*$/.exec(text.slice(at))
      if (link) return head + text.slice(0, at) + link[1] + closers(open)
      at += 1
    } else {
      const mark = DELIMITERS.find((delimiter) => rest.startsWith(delimiter))
      if (!mark) {
        at += 1
        continue
      }
      const before = text[at - 1] ?? ' '
      const after = text[at + mark.length]
      if (open.at(-1) === mark && !/\s/.test(before)) open.pop()
      else if (after === undefined) return head + text.slice(0, at).trimEnd() + closers(open)
      else if (!/\s/.test(after) && !(mark.startsWith('_') && /\w/.test(before))) open.push(mark)
      at += mark.length
    }
  }
  const marks = closers(open)
  return head + (marks ? text.trimEnd() : text) + marks
}

/** Maths that has no end yet is closed, as far as it makes sense; before its first sign nothing is shown. */
function openMaths(head: string, text: string, at: number, skip: number, closer: string, open: string[]): string {
  const tex = text.slice(at + skip)
  const start = head + text.slice(0, at)
  if (!/[^\s\\$]/.test(tex)) return start + closers(open)
  return start + text.slice(at, at + skip) + closeTex(tex).trim() + closer + closers(open)
}

const TWO_ARGUMENTS = /\\(?:[dtc]?frac|[dt]?binom)\s*$/

/** Completes TeX: drops a command that is being written, closes braces, `\left` and environments. */
export function closeTex(tex: string): string {
  let text = tex.replace(/\\[a-zA-Z]*$|\\(?:begin|end)\{[^}]*$|[\^_&$]\s*$/, '')
  const open: string[] = []
  for (const match of text.matchAll(
    /\\begin\{([^}]*)\}|\\end\{[^}]*\}|\\left(?![a-zA-Z])|\\right(?![a-zA-Z])|\\.|[{}]/gs,
  )) {
    const token = match[0]
    if (token.startsWith('\\begin')) open.push(`\\end{${match[1]}}`)
    else if (token === '{') open.push(TWO_ARGUMENTS.test(text.slice(0, match.index)) ? '}{}' : '}')
    else if (token === '\\left') open.push('\\right.')
    else if (token.startsWith('\\end') || token === '}' || token === '\\right') open.pop()
  }
  text = text.replace(/\\left\s*$/, '')
  if (text !== tex && open.at(-1) === '\\right.' && /\\left\s*$/.test(tex)) open.pop()
  return text.replace(/\\(?:[dtc]?frac|[dt]?binom)\s*\{[^{}]*\}\s*$/, '$&{}') + open.reverse().join('')
}

/** Where the piece begins that inline marks cannot reach out of. */
function lastPiece(raw: string): number {
  const paragraph = raw.lastIndexOf('\n\n')
  const breaks = [paragraph < 0 ? 0 : paragraph + 2]
  const item = [...raw.matchAll(/(?:^|\n)[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?/g)].at(-1)
  if (item) breaks.push(item.index + item[0].length)
  if (raw.startsWith('|')) breaks.push(raw.lastIndexOf('|', raw.trimEnd().length - 1) + 1, raw.lastIndexOf('\n') + 1)
  if (/^#{1,6} /.test(raw)) breaks.push(raw.indexOf(' ') + 1)
  return Math.min(raw.length, Math.max(...breaks))
}

function findRun(text: string, run: string, from: number): number {
  for (let at = text.indexOf(run, from); at >= 0; at = text.indexOf(run, at)) {
    let end = at
    while (text[end] === '`') end++
    if (end - at === run.length) return at
    at = end
  }
  return -1
}

function closers(open: string[]): string {
  return [...open].reverse().join('')
}
