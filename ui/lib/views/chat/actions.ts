// What a message can ask of the page around it.

import type { Message } from '../../api/types'

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
