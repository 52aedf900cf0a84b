// What the middle of the window shows, and the way back.

export type SettingsSection = 'appearance' | 'answers' | 'keyboard' | 'privacy' | 'about'

export type ExpertsTab = 'list' | 'router'

export type View =
  | { name: 'chat'; id: string | null; message: string | null }
  | { name: 'experts'; tab: ExpertsTab }
  | { name: 'models' }
  | { name: 'hardware' }
  | { name: 'settings'; section: SettingsSection }

export type ViewName = View['name']

const MOST_STEPS = 100

export class Navigation {
  #steps = $state.raw<View[]>([{ name: 'chat', id: null, message: null }])
  #at = $state(0)

  readonly view: View = $derived(this.#steps[this.#at]!)
  readonly canGoBack: boolean = $derived(this.#at > 0)
  readonly canGoForward: boolean = $derived(this.#at < this.#steps.length - 1)
  /** The conversation that is shown, if one is. */
  readonly conversation: string | null = $derived(this.view.name === 'chat' ? this.view.id : null)

  go(view: View): void {
    if (same(view, this.view)) return
    const before = this.#steps.slice(Math.max(0, this.#at + 2 - MOST_STEPS), this.#at + 1)
    this.#steps = [...before, view]
    this.#at = before.length
  }

  chat(id: string | null, message: string | null = null): void {
    this.go({ name: 'chat', id, message })
  }

  /** The same step, seen otherwise: a new chat that has got its conversation. */
  replace(view: View): void {
    this.#steps = this.#steps.map((step, index) => (index === this.#at ? view : step))
  }

  back(): void {
    if (this.#at > 0) this.#at -= 1
  }

  forward(): void {
    if (this.#at < this.#steps.length - 1) this.#at += 1
  }

  /** Nothing of the way so far leads anywhere; what is shown stays, unless it is a conversation. */
  clear(): void {
    this.#steps = [this.view.name === 'chat' ? { name: 'chat', id: null, message: null } : this.view]
    this.#at = 0
  }

  /** A conversation is gone: no step leads to it any more. */
  forget(id: string): void {
    const shown = this.view
    const kept = this.#steps.filter((step) => !(step.name === 'chat' && step.id === id))
    const at = kept.indexOf(shown)
    if (at >= 0) {
      this.#steps = kept
      this.#at = at
    } else {
      this.#steps = [...kept, { name: 'chat', id: null, message: null }]
      this.#at = this.#steps.length - 1
    }
  }
}

function same(a: View, b: View): boolean {
  if (a.name !== b.name) return false
  if (a.name === 'chat' && b.name === 'chat') return a.id === b.id && a.message === b.message
  if (a.name === 'experts' && b.name === 'experts') return a.tab === b.tab
  if (a.name === 'settings' && b.name === 'settings') return a.section === b.section
  return true
}
