// How full the context would be, counted a moment after the last change.

import type { ContextUse } from '../api/types'

const MEASURE_AFTER_MS = 350

export class ContextMeter {
  /** `null` before the first count, and where there is nothing to measure against. */
  use = $state.raw<ContextUse | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn = 0

  constructor(private readonly count: () => Promise<ContextUse>) {}

  measure(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#measure(), MEASURE_AFTER_MS)
  }

  async #measure(): Promise<void> {
    const turn = ++this.#turn
    try {
      const use = await this.count()
      if (turn === this.#turn) this.use = use
    } catch {
      // Without a model there is nothing to measure against: no ring.
      if (turn === this.#turn) this.use = null
    }
  }
}
