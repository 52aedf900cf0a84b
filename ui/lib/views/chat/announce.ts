// What a screen reader says of an answer while it is made: whole sentences, without the marks of markdown.

const SENTENCE_END = /[.!?…:;](?=\s)|\n/g

/** The finished sentences of `text` from `said` on, and how far they reach. */
export function sentences(text: string, said: number): { words: string; upTo: number } {
  let upTo = said
  SENTENCE_END.lastIndex = said
  for (let match = SENTENCE_END.exec(text); match; match = SENTENCE_END.exec(text)) upTo = match.index + 1
  return { words: spoken(text.slice(said, upTo)), upTo }
}

export function spoken(text: string): string {
  return text
    .replace(/^ {0,3}(?:```|~~~).*$/gm, '')
    .replace(/^\s*\|?[\s:|-]+\|?\s*$/gm, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^ {0,3}(?:#{1,6}|>|[-*+])\s+/gm, '')
    .replace(/[*_`~|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}
