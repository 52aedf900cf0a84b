// Splits an answer into its top-level blocks, so that while it streams only the last one is rendered again.

import { Lexer, Marked } from 'marked'
import { closeTail, closeTex } from './closing'
import { mathsBlock, mathsInline } from './maths'

export type Block =
  | { kind: 'text'; raw: string }
  | { kind: 'code'; code: string; language: string }
  | { kind: 'maths'; tex: string }
  /** Shown as it is: too long, too deep, or made to stall a parser. */
  | { kind: 'plain'; text: string }

/** Beyond these, markdown is not looked for. */
const MOST_CHARACTERS = 100_000
const MOST_IN_BLOCK = 20_000
const MOST_MARKS = 400
const PLAIN_PIECE = 20_000
/** The lexer may still change its mind about the last blocks. */
const UNSETTLED = 2

const options = new Marked({ gfm: true, breaks: true }).use({ extensions: [mathsBlock, mathsInline] }).defaults

/** Quotes in quotes in quotes, or lists indented without end: each level costs the parser another pass. */
const TOO_DEEP = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])){20}|^[ \t]{80,}(?:[-*+>]|\d{1,9}[.)])/m

interface Lexed {
  block: Block
  raw: string
}

function lex(text: string, open: boolean): Lexed[] {
  const unclosed = open ? openMathsBlock(text) : null
  const source = unclosed ? text.slice(0, unclosed.at) : text
  const lexer = new Lexer(options)
  const tokens = source ? lexer.blockTokens(source, []) : []
  const blocks = tokens
    .filter((token) => token.type !== 'space')
    .map((token): Lexed => {
      const raw = token.raw
      if (token.type === 'code' && token.codeBlockStyle !== 'indented') {
        const language = /^[\w+#.-]{1,20}/.exec((token.lang as string | undefined) ?? '')?.[0] ?? ''
        return { raw, block: { kind: 'code', code: token.text as string, language } }
      }
      if (token.type === 'mathsBlock') return { raw, block: { kind: 'maths', tex: token.text as string } }
      if (raw.length > MOST_IN_BLOCK || mostMarks(raw) > MOST_MARKS) return { raw, block: { kind: 'plain', text: raw } }
      return { raw, block: { kind: 'text', raw } }
    })
  if (unclosed) blocks.push({ raw: '', block: { kind: 'maths', tex: closeTex(unclosed.tex).trim() } })
  return blocks
}

/** The most inline marks in one paragraph, list item or cell: the parser compares each with each. */
function mostMarks(raw: string): number {
  if (raw.length < MOST_MARKS) return 0
  let most = 0
  for (const piece of raw.split(/\n{2,}|\n(?=[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t])|\|/)) {
    most = Math.max(most, piece.match(/[*_[\]`$~<\\]/g)?.length ?? 0)
  }
  return most
}

/** Display maths at the end whose second mark has not arrived. */
function openMathsBlock(text: string): { at: number; tex: string } | null {
  let fence: string | null = null
  let maths: { at: number; start: number; closer: string } | null = null
  let at = 0
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    const opener = /^ {0,3}(\$\$|\\\[)/.exec(line)
    if (maths) {
      if (line.includes(maths.closer)) maths = null
    } else if (mark) {
      if (fence === null) fence = mark
      else if (mark.startsWith(fence)) fence = null
    } else if (fence === null && opener) {
      const closer = opener[1] === '$$' ? '$$' : '\\]'
      if (!line.includes(closer, opener[0].length)) maths = { at, start: at + opener[0].length, closer }
    }
    at += line.length + 1
  }
  return maths && { at: maths.at, tex: text.slice(maths.start) }
}

function plain(text: string): Block[] {
  const blocks: Block[] = []
  for (let at = 0; at < text.length; at += PLAIN_PIECE)
    blocks.push({ kind: 'plain', text: text.slice(at, at + PLAIN_PIECE) })
  return blocks
}

function closeLast(lexed: Lexed[]): Block[] {
  const blocks = lexed.map(({ block }) => block)
  const last = blocks.pop()
  if (!last) return []
  if (last.kind === 'text') {
    const raw = closeTail(last.raw.replace(/\n+$/, ''))
    return raw.trim() === '' ? blocks : [...blocks, { kind: 'text', raw }]
  }
  // Part of the mark that ends the code.
  if (last.kind === 'code')
    return [...blocks, { ...last, code: last.code.replace(/(?:^|\n) {0,3}(?:`{1,2}|~{1,2})$/, '') }]
  return [...blocks, last]
}

/** Splits growing text; blocks that can no longer change keep their identity. */
export class Splitter {
  #settled: Block[] = []
  #settledText = ''

  /** `open`: more text will follow. */
  split(text: string, open: boolean): Block[] {
    const clean = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
    if (!open || !clean.startsWith(this.#settledText)) this.#forget()
    if (clean.length > MOST_CHARACTERS) return plain(clean)
    const rest = clean.slice(this.#settledText.length)
    if (TOO_DEEP.test(rest)) return [...this.#settled, ...plain(rest)]
    try {
      const blocks = lex(rest, open)
      if (!open) return blocks.map(({ block }) => block)
      const count = this.#settle(rest, blocks)
      return [...this.#settled, ...closeLast(blocks.slice(count))]
    } catch {
      return [...this.#settled, ...plain(rest)]
    }
  }

  /** Moves the blocks that can no longer change to the settled ones; answers how many. */
  #settle(rest: string, lexed: Lexed[]): number {
    let at = 0
    let count = 0
    for (const { block, raw } of lexed.slice(0, -UNSETTLED)) {
      const found = rest.indexOf(raw, at)
      if (found < 0) break
      at = found + raw.length
      this.#settled.push(block)
      count++
    }
    this.#settledText += rest.slice(0, at)
    return count
  }

  #forget(): void {
    this.#settled = []
    this.#settledText = ''
  }
}
