// What a message can ask of the page around it.

import type { ExpertChoice, ExpertLabel, Message } from '../../api/types'

export interface Actions {
  copy(text: string): void
  openLink(url: string): void
  openModels(): void
  openExperts(): void
  /** Shows how the answer came about. */
  why(message: Message): void
  remove(message: Message): void
  again(message: Message): void
  /** Another answer by somebody else. */
  againWith(message: Message, choice: ExpertChoice): void
  label(message: Message, label: ExpertLabel | null): void
  /** Another version of the message before or after this one. */
  turn(message: Message, step: 1 | -1): void
  proceed(): void
  focusComposer(): void
  /** Tells that something did not work, where no message can carry it. */
  failed(error: unknown): void
}
