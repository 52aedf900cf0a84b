// A region that scrolls can be scrolled by keyboard in every web view, not only in those that see to it themselves.

export function reachable(node: HTMLElement): () => void {
  const look = () => {
    if (node.scrollHeight > node.clientHeight + 1) node.tabIndex = 0
    else node.removeAttribute('tabindex')
  }
  const observer = new ResizeObserver(look)
  observer.observe(node)
  look()
  return () => observer.disconnect()
}
