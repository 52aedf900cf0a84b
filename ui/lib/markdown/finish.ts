// What can only be done once markup stands in the page: formulas are drawn, code inside lists gets its colours.

import { colour, grammarOf, loadGrammar } from './highlight'
import { drawTex } from './maths'

/** `html` names what the block holds, so that this runs again when it changes. */
export function finish(block: HTMLElement, html: string): void {
  if (html.includes('class="maths')) {
    for (const element of block.querySelectorAll<HTMLElement>('.maths, .maths-block')) {
      drawTex(element, element.textContent ?? '', element.classList.contains('maths-block'))
    }
  }
  if (html.includes('class="language-')) {
    for (const code of block.querySelectorAll<HTMLElement>('pre code')) void paint(code)
  }
}

async function paint(code: HTMLElement): Promise<void> {
  const grammar = grammarOf(code.className.replace(/^language-/, ''))
  if (grammar === null) return
  const text = code.textContent ?? ''
  const html = colour(text, grammar) ?? ((await loadGrammar(grammar)) ? colour(text, grammar) : null)
  if (html !== null && code.isConnected) code.innerHTML = html
}
