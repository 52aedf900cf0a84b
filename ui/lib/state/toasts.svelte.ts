// Short notices at the lower edge. Nothing that needs a decision is said here, except to take back what was just done.

export type ToastTone = 'plain' | 'ok' | 'danger'

export interface Toast {
  id: number
  text: string
  tone: ToastTone
  action: { label: string; run: () => void } | null
  /** How long it is shown in all. */
  ms: number
  /** How often the same text has come again. */
  times: number
}

export interface NewToast {
  text: string
  tone?: ToastTone
  action?: { label: string; run: () => void }
  ms?: number
}

const PLAIN_MS = 5_000
const ACTION_MS = 10_000
const MOST = 4

export class Toasts {
  list = $state.raw<Toast[]>([])
  #timers = new Map<number, { timer: ReturnType<typeof setTimeout>; left: number; since: number }>()
  #next = 1

  show(toast: NewToast): number {
    const same = toast.action ? undefined : this.list.find((other) => other.text === toast.text && !other.action)
    if (same) {
      this.list = this.list.map((other) => (other === same ? { ...other, times: other.times + 1 } : other))
      this.#start(same.id, same.ms)
      return same.id
    }
    const id = this.#next++
    const ms = toast.ms ?? (toast.action ? ACTION_MS : PLAIN_MS)
    this.list = [
      ...this.list,
      { id, text: toast.text, tone: toast.tone ?? 'plain', action: toast.action ?? null, ms, times: 1 },
    ]
    while (this.list.length > MOST) this.dismiss(this.list[0]!.id)
    this.#start(id, ms)
    return id
  }

  act(id: number): void {
    const toast = this.list.find((other) => other.id === id)
    this.dismiss(id)
    toast?.action?.run()
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id)?.timer)
    this.#timers.delete(id)
    this.list = this.list.filter((toast) => toast.id !== id)
  }

  /** While somebody points at them, they stay. */
  pause(): void {
    for (const clock of this.#timers.values()) {
      clearTimeout(clock.timer)
      clock.left -= Date.now() - clock.since
    }
  }

  resume(): void {
    for (const [id, clock] of this.#timers) this.#start(id, Math.max(clock.left, 1_000))
  }

  #start(id: number, ms: number): void {
    clearTimeout(this.#timers.get(id)?.timer)
    this.#timers.set(id, { timer: setTimeout(() => this.dismiss(id), ms), left: ms, since: Date.now() })
  }
}
