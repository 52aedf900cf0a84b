// What every call of the fake backend has in common: it is written down, it can be refused, and it can announce a change.

import type { Backend, BackendError } from '../backend'
import type { Change, FileDrop } from '../types'

export class FakeCalls {
  /** What the system would have been asked, newest last. */
  readonly calls: [name: string, ...rest: unknown[]][] = []
  /** The next call of a method by that name is refused with this. */
  failNext = new Map<keyof Backend, BackendError>()
  #listeners = new Set<(change: Change) => void>()
  #dropListeners = new Set<(drop: FileDrop) => void>()

  announce = (change: Change): void => {
    for (const listener of this.#listeners) listener(change)
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onFileDrop(listener: (drop: FileDrop) => void): () => void {
    this.#dropListeners.add(listener)
    return () => this.#dropListeners.delete(listener)
  }

  /** As if somebody dragged files over the window. */
  drag(type: FileDrop['type'], paths: string[] = []): void {
    for (const listener of this.#dropListeners) listener({ type, paths })
  }

  protected called(name: keyof Backend, ...rest: unknown[]): void {
    this.calls.push([name, ...rest])
    const error = this.failNext.get(name)
    if (!error) return
    this.failNext.delete(name)
    throw error
  }
}
