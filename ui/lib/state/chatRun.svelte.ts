// One answer while it is made. Text arrives far more often than the screen is painted: it is appended to a plain string
// and handed to the interface once per frame.

import type { Routing } from '../api/types'

export type Phase =
  | { kind: 'waiting' }
  | { kind: 'loading'; phase: string; done: number; total: number }
  | { kind: 'prefill'; done: number; total: number }
  | { kind: 'writing' }

export class Run {
  /** `null` until the question is stored. */
  answer = $state<string | null>(null)
  /** What has been painted of the answer. */
  text = $state('')
  phase = $state.raw<Phase>({ kind: 'waiting' })
  stopping = $state(false)
  /** Who answers; known before the first word. */
  routing = $state.raw<Routing | null>(null)

  #received = ''
  #frame = 0

  append(text: string): void {
    this.#received += text
    this.#frame ||= requestAnimationFrame(() => this.flush())
  }

  /** Paints what was received so far. */
  flush(): void {
    if (this.#frame) cancelAnimationFrame(this.#frame)
    this.#frame = 0
    if (this.phase.kind !== 'writing' && this.#received) this.phase = { kind: 'writing' }
    this.text = this.#received
  }

  close(): void {
    if (this.#frame) cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }

  get received(): string {
    return this.#received
  }
}
