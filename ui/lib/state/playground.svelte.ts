// Trying the router: a question while it is typed, its settings, a file of questions, and what it has learned.

import type { Backend } from '../api/backend'
import type {
  ExpertSettings,
  ExpertSettingsView,
  RefitReport,
  Route,
  RouteFileReport,
  RouterLabels,
} from '../api/types'

const WAIT_MS = 120

export class Playground {
  text = $state('')
  route = $state.raw<Route | null>(null)
  /** Why the question could not be routed. */
  problem = $state.raw<unknown>(null)
  settings = $state.raw<ExpertSettings | null>(null)
  defaults = $state.raw<ExpertSettings | null>(null)
  labels = $state.raw<RouterLabels | null>(null)
  report = $state.raw<RouteFileReport | null>(null)
  working = $state<'file' | 'refit' | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  readonly changed: boolean = $derived.by(() => {
    const { settings, defaults } = this
    if (!settings || !defaults) return false
    return (Object.keys(defaults) as (keyof ExpertSettings)[]).some((key) => settings[key] !== defaults[key])
  })

  constructor(
    private readonly backend: Backend,
    private readonly failed: (error: unknown) => void,
  ) {}

  async read(): Promise<void> {
    await this.#tried(async () => {
      const [view, labels] = await Promise.all([this.backend.expertSettings(), this.backend.routerLabels()])
      this.#take(view)
      this.labels = labels
    })
  }

  #take({ now, defaults }: ExpertSettingsView): void {
    this.settings = now
    this.defaults = defaults
  }

  type(text: string): void {
    this.text = text
    this.#again(WAIT_MS)
  }

  #again(wait: number): void {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    const { text } = this
    if (!text.trim()) {
      this.route = null
      this.problem = null
      return
    }
    this.#timer = setTimeout(() => {
      this.backend.routeQuestion(text).then(
        (route) => asked === this.#asked && this.#answered(route, null),
        (error: unknown) => asked === this.#asked && this.#answered(null, error),
      )
    }, wait)
  }

  #answered(route: Route | null, problem: unknown): void {
    this.route = route
    this.problem = problem
  }

  /** Shown at once; the core's answer counts in the end. */
  async save(changes: Partial<ExpertSettings>): Promise<void> {
    const before = this.settings
    if (!before) return
    this.settings = { ...before, ...changes }
    try {
      this.settings = await this.backend.saveExpertSettings(changes)
    } catch (error) {
      this.settings = before
      this.failed(error)
    }
    this.#again(0)
  }

  reset(): Promise<void> {
    return this.defaults ? this.save(this.defaults) : Promise.resolve()
  }

  async file(path: string): Promise<void> {
    this.working = 'file'
    await this.#tried(async () => {
      this.report = await this.backend.routeFile(path)
    })
    this.working = null
  }

  async refit(): Promise<RefitReport | null> {
    this.working = 'refit'
    let report: RefitReport | null = null
    await this.#tried(async () => {
      report = await this.backend.refitRouter()
      await this.#learned()
    })
    this.working = null
    return report
  }

  async undo(): Promise<boolean> {
    return this.#tried(async () => {
      await this.backend.undoRefit()
      await this.#learned()
    })
  }

  /** What was learned may have moved the settings, too. */
  async #learned(): Promise<void> {
    await this.read()
    this.#again(0)
  }

  leave(): void {
    clearTimeout(this.#timer)
    this.#asked += 1
  }

  async #tried(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }
}
