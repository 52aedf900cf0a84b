// A name beside a control that shows only an icon. One element for the whole window, so that a long list of buttons
// costs nothing; what it says is also the control's accessible name.

import type { Attachment } from 'svelte/attachments'

const WAIT_MS = 450
/** Going from one button to the next shows the next name at once. */
const WARM_MS = 600
const GAP = 6
const EDGE = 8

let bubble: HTMLElement | undefined
let owner: Element | undefined
let timer: ReturnType<typeof setTimeout> | undefined
let hiddenAt = 0

function show(node: Element, text: string, keys: string | undefined): void {
  bubble ??= Object.assign(document.createElement('div'), {
    className:
      'fixed z-[90] flex max-w-xs items-center gap-2 rounded-control bg-text px-2 py-1 text-xs text-page shadow-pop fade pointer-events-none',
  })
  bubble.setAttribute('aria-hidden', 'true')
  bubble.textContent = text
  if (keys) {
    const kbd = Object.assign(document.createElement('kbd'), { textContent: keys, className: 'opacity-70 font-sans' })
    bubble.append(kbd)
  }
  document.body.append(bubble)
  owner = node
  const at = node.getBoundingClientRect()
  const size = bubble.getBoundingClientRect()
  const above = at.bottom + GAP + size.height > innerHeight - EDGE
  const left = Math.min(Math.max(at.left + (at.width - size.width) / 2, EDGE), innerWidth - size.width - EDGE)
  bubble.style.left = `${left}px`
  bubble.style.top = `${above ? at.top - GAP - size.height : at.bottom + GAP}px`
}

function hide(node: Element): void {
  clearTimeout(timer)
  if (owner !== node) return
  bubble?.remove()
  owner = undefined
  hiddenAt = Date.now()
}

export function tip(text: string | undefined, keys?: string): Attachment {
  return (node) => {
    if (!text) return
    const off = () => hide(node)
    const enter = (event: Event) => {
      if ((event as PointerEvent).pointerType === 'touch') return
      clearTimeout(timer)
      timer = setTimeout(() => show(node, text, keys), Date.now() - hiddenAt < WARM_MS ? 0 : WAIT_MS)
    }
    const focus = () => {
      if (node.matches(':focus-visible')) show(node, text, keys)
    }
    const key = (event: Event) => {
      if ((event as KeyboardEvent).key === 'Escape') off()
    }
    const events: [string, (event: Event) => void][] = [
      ['pointerenter', enter],
      ['pointerleave', off],
      ['pointerdown', off],
      ['focus', focus],
      ['blur', off],
      ['keydown', key],
    ]
    for (const [name, listener] of events) node.addEventListener(name, listener)
    return () => {
      off()
      for (const [name, listener] of events) node.removeEventListener(name, listener)
    }
  }
}
