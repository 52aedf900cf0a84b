/** Whether the key belongs to an input method that is still composing: Enter then chooses a word, it does not send. */
export function composing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}

/** Characters as people and the core count them: one for a sign that takes two units. */
export function characters(text: string): number {
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(at + 1)
      if (next >= 0xdc00 && next < 0xe000) {
        count--
        at++
      }
    }
  }
  return count
}
