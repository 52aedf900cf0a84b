import type { Message } from '$lib/api/types'
import { Splitter } from '$lib/markdown/blocks'

/** The code that was written last in the shown messages. */
export function lastCode(messages: readonly Message[]): string | null {
  for (const message of messages.toReversed()) {
    if (message.role !== 'assistant' || !message.content.includes('```')) continue
    const code = new Splitter().split(message.content, false).findLast((block) => block.kind === 'code')
    if (code?.kind === 'code') return code.code
    const nested = [...message.content.matchAll(/^[ \t>]*```[^\n]*\n([\s\S]*?)\n[ \t>]*```/gm)].at(-1)
    if (nested) return nested[1]!
  }
  return null
}
