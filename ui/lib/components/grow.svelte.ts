import type { Attachment } from 'svelte/attachments'

/** Keeps a text area as high as its text, up to `most` lines. */
export function grow(value: () => string, most: number): Attachment<HTMLTextAreaElement> {
  return (node) => {
    let width = 0
    const fit = () => {
      const style = getComputedStyle(node)
      const line = parseFloat(style.lineHeight) || 20
      const around = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom)
      const border = node.offsetHeight - node.clientHeight
      node.style.height = '0'
      const wanted = node.scrollHeight
      const limit = line * most + around
      node.style.height = `${Math.min(wanted, limit) + border}px`
      node.style.overflowY = wanted > limit ? 'auto' : 'hidden'
    }
    const observer = new ResizeObserver(() => {
      if (node.clientWidth === width) return
      width = node.clientWidth
      fit()
    })
    observer.observe(node)
    $effect(() => {
      value()
      fit()
    })
    return () => observer.disconnect()
  }
}
