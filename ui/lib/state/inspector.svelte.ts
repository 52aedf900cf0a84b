// The panel beside a conversation that tells how an answer came about.

export type InspectorTab = 'why' | 'stats'

export class Inspector {
  open = $state(false)
  tab = $state<InspectorTab>('why')
  /** The answer it is about; `null` is the last one. */
  message = $state<string | null>(null)

  toggle(): void {
    this.open = !this.open
    this.message = null
  }

  show(message: string, tab: InspectorTab = 'why'): void {
    this.message = message
    this.tab = tab
    this.open = true
  }

  close(): void {
    this.open = false
  }
}
