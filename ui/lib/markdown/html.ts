// Markdown of one block → sanitised markup. What a model writes is never trusted: its own HTML is shown as text, apart
// from a few harmless tags, and the result goes through DOMPurify with a closed list.

import DOMPurify from 'dompurify'
import { Marked, type Tokens } from 'marked'
import { escapeHtml, mathsBlock, mathsInline } from './maths'

const HARMLESS_TAG = /^<\/?(?:b|i|u|em|strong|s|sub|sup|kbd|mark|small|br|wbr)\s*\/?>$/i
const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i
const MOST_REMEMBERED = 400

const ALLOWED_TAGS = [
  'p',
  'br',
  'hr',
  'h3',
  'h4',
  'h5',
  'h6',
  'strong',
  'b',
  'em',
  'i',
  'u',
  's',
  'del',
  'sub',
  'sup',
  'kbd',
  'mark',
  'small',
  'wbr',
  'a',
  'ul',
  'ol',
  'li',
  'blockquote',
  'pre',
  'code',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
  'div',
  'span',
  'button',
]
const ALLOWED_ATTR = ['class', 'href', 'title', 'dir', 'start', 'tabindex', 'type', 'role', 'aria-label']

export interface Labels {
  copy: string
  copied: string
  code: string
  table: string
}

function markedFor(labels: Labels): Marked {
  return new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      html: ({ text }: Tokens.HTML | Tokens.Tag) => (HARMLESS_TAG.test(text.trim()) ? text : escapeHtml(text)),
      paragraph({ tokens }) {
        return `<p dir="auto">${this.parser.parseInline(tokens)}</p>`
      },
      heading({ tokens, depth }) {
        // The page has its own first and second level.
        return `<h${Math.min(6, depth + 2)} dir="auto" class="h${depth}">${this.parser.parseInline(tokens)}</h${Math.min(6, depth + 2)}>`
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens)
        if (!SAFE_LINK.test(href)) return text
        return `<a href="${escapeHtml(href)}" title="${escapeHtml(href)}">${text}</a>`
      },
      // Nothing is fetched for a picture: it is named, and may be opened in the browser.
      image({ href, text }) {
        const name = escapeHtml(text || href)
        return SAFE_LINK.test(href) ? `<a href="${escapeHtml(href)}" title="${escapeHtml(href)}">${name}</a>` : name
      },
      code({ text, lang }) {
        const name = /^[\w+#.-]{1,20}/.exec(lang ?? '')?.[0] ?? ''
        return codeFrame(text, name, labels)
      },
      checkbox({ checked }) {
        return `<span class="task${checked ? ' task-done' : ''}" role="img" aria-label="${checked ? '[x]' : '[ ]'}"></span> `
      },
      list({ ordered, start, items }) {
        const tag = ordered ? 'ol' : 'ul'
        const from = ordered && start !== 1 && start !== '' ? ` start="${start}"` : ''
        const tasks = items.some((item) => item.task) ? ' class="tasks"' : ''
        return `<${tag} dir="auto"${from}${tasks}>${items.map((item) => this.listitem(item)).join('')}</${tag}>`
      },
      table({ header, rows }) {
        const cell = (tag: string, { tokens, align }: Tokens.TableCell) =>
          `<${tag} dir="auto"${align ? ` class="to-${align}"` : ''}>${this.parser.parseInline(tokens)}</${tag}>`
        // A header without words is none.
        const head = header.map((each) => cell(each.text.trim() ? 'th' : 'td', each)).join('')
        const body = rows.map((row) => `<tr>${row.map((each) => cell('td', each)).join('')}</tr>`).join('')
        const frame = `class="wide" tabindex="0" role="region" aria-label="${escapeHtml(labels.table)}"`
        return `<div ${frame}><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
      },
    },
  }).use({ extensions: [mathsBlock, mathsInline] })
}

function codeFrame(code: string, language: string, labels: Labels): string {
  const name = escapeHtml(language || labels.code)
  return (
    `<div class="code"><div class="code-head"><span class="code-language">${name}</span>` +
    `<button type="button" class="code-copy">${escapeHtml(labels.copy)}</button></div>` +
    `<pre tabindex="0"><code class="language-${escapeHtml(language)}">${escapeHtml(code)}</code></pre></div>`
  )
}

function sanitise(html: string): string {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS,
    ALLOWED_ATTR,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: SAFE_LINK,
    ADD_URI_SAFE_ATTR: ['dir', 'start', 'tabindex', 'type', 'role', 'aria-label'],
  })
}

/** Turns blocks into markup and remembers the latest of them by their text. */
export class Renderer {
  readonly #marked: Marked
  readonly #known = new Map<string, string>()

  constructor(labels: Labels) {
    this.#marked = markedFor(labels)
  }

  render(raw: string): string {
    const known = this.#known.get(raw)
    if (known !== undefined) return known
    let html: string
    try {
      html = sanitise(this.#marked.parse(raw, { async: false }))
    } catch {
      // Too deep, or a fault of the parser: the text itself is what matters.
      html = `<p class="plain" dir="auto">${escapeHtml(raw)}</p>`
    }
    this.#known.set(raw, html)
    if (this.#known.size > MOST_REMEMBERED) this.#known.delete(this.#known.keys().next().value!)
    return html
  }
}
