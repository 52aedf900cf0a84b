// What a message can ask of the page around it.

import type { Message, MessageError } from '../../api/types'

export interface Actions {
  copy(text: string): void
  openLink(url: string): void
  openModels(): void
  remove(message: Message): void
  again(message: Message): void
  /** Another version of the message before or after this one. */
  turn(message: Message, step: 1 | -1): void
  proceed(): void
  focusComposer(): void
  /** Tells that something did not work, where no message can carry it. */
  failed(error: unknown): void
}

/** An error's text and the next step it proposes. */
export function parts(error: MessageError): { text: string; hint: string | null } {
  const at = error.message.search(/(?:^|\n)hint: /)
  if (at < 0) return { text: sentence(error.message), hint: null }
  return {
    text: sentence(error.message.slice(0, at)),
    hint: sentence(error.message.slice(at).replace(/^\s*hint: /, '')),
  }
}

/** The core writes errors without a capital and a full stop. */
function sentence(text: string): string {
  const trimmed = text.trim()
  if (!trimmed) return ''
  return trimmed[0]!.toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? '' : '.')
}
