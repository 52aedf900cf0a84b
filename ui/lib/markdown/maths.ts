// TeX in markdown, and drawing it. KaTeX builds its elements and sets their styles one by one, which the content
// security policy allows where a `style` attribute in markup would be refused.

import type { TokenizerAndRendererExtension } from 'marked'

const BLOCK = [
  /^ {0,3}\$\$[ \t]*\n?([\s\S]+?)\n?[ \t]*\$\$[ \t]*(?:\n+|$)/,
  /^ {0,3}\\\[[ \t]*\n?([\s\S]+?)\n?[ \t]*\\\][ \t]*(?:\n+|$)/,
]
const INLINE = [
  { rule: /^\$\$([^$]+?)\$\$/, display: true },
  { rule: /^\\\[([\s\S]+?)\\\]/, display: true },
  { rule: /^\\\(([\s\S]+?)\\\)/, display: false },
  // Not money: no blank inside the dollars, and no digit after the second one.
  { rule: /^\$((?:\\.|[^\\$\n\s])(?:(?:\\.|[^\\$\n])*?(?:\\.|[^\\$\n\s]))?)\$(?!\d)/, display: false },
]

export const mathsBlock: TokenizerAndRendererExtension = {
  name: 'mathsBlock',
  level: 'block',
  start(source) {
    // Only this paragraph is asked about; looking through all that follows would take its time for each of them.
    const end = source.indexOf('\n\n')
    return /(?:^|\n) {0,3}(?:\$\$|\\\[)/.exec(end < 0 ? source : source.slice(0, end))?.index
  },
  tokenizer(source) {
    for (const rule of BLOCK) {
      const match = rule.exec(source)
      if (match) return { type: 'mathsBlock', raw: match[0], text: match[1]!.trim() }
    }
    return undefined
  },
  renderer: (token) => `<div class="maths-block">${escapeHtml(token.text as string)}</div>`,
}

export const mathsInline: TokenizerAndRendererExtension = {
  name: 'mathsInline',
  level: 'inline',
  start: (source) => /\$|\\[([]/.exec(source)?.index,
  tokenizer(source) {
    for (const { rule, display } of INLINE) {
      const match = rule.exec(source)
      if (match) return { type: 'mathsInline', raw: match[0], text: match[1]!.trim(), display }
    }
    return undefined
  },
  renderer: (token) =>
    `<span class="${token.display ? 'maths-block' : 'maths'}">${escapeHtml(token.text as string)}</span>`,
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

type Katex = typeof import('katex').default
let katex: Katex | null = null
let loading: Promise<Katex> | null = null

export function loadKatex(): Promise<Katex> {
  loading ??= Promise.all([import('katex'), import('katex/dist/katex.min.css')]).then(
    ([module]) => (katex = module.default),
  )
  return loading
}

/** Draws `tex` into `element`; a formula that cannot be read stays as its source, one that is being written as it was. */
export function drawTex(element: HTMLElement, tex: string, display: boolean, open = false): void {
  if (!katex) {
    void loadKatex().then(() => element.isConnected && drawTex(element, tex, display, open))
    return
  }
  try {
    const tree = (katex as unknown as TreeMaker).__renderToDomTree(tex, {
      displayMode: display,
      throwOnError: true,
      strict: 'ignore',
      trust: false,
      maxSize: 20,
      maxExpand: 500,
    })
    dropStyleAttributes(tree)
    element.replaceChildren(tree.toNode())
    element.classList.remove('maths-source')
    element.dataset.drawn = ''
  } catch {
    if (open && 'drawn' in element.dataset) return
    element.textContent = tex
    element.classList.add('maths-source')
  }
}

/** What KaTeX builds before it becomes elements. */
interface MathsNode {
  attributes?: Record<string, string>
  children?: MathsNode[]
}

interface TreeMaker {
  __renderToDomTree(tex: string, options: object): MathsNode & { toNode(): Node }
}

/** A few pictures carry their width a second time as a `style` attribute, which the security policy would report. */
function dropStyleAttributes(node: MathsNode): void {
  if (node.attributes) delete node.attributes.style
  node.children?.forEach(dropStyleAttributes)
}
