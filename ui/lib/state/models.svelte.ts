// The models on this computer and those that could be: one reading, taken again whenever the core says so.

import type { Backend } from '../api/backend'
import type { Job, KnownModel, ModelEntry, ModelsView } from '../api/types'

export interface ModelHooks {
  began(job: Job): void
  failed(error: unknown): void
}

export type Phase = { name: string; share: number | null }

export class Models {
  view = $state.raw<ModelsView | null>(null)
  problem = $state.raw<unknown>(null)
  /** What happens while the chosen model is brought into memory. */
  phase = $state.raw<Phase | null>(null)
  /** Answers while the first reading is not there. */
  #activeAtStart = $state('')

  readonly active: ModelEntry | null = $derived(this.view?.installed.find((model) => model.active) ?? null)
  readonly activeName: string = $derived(this.active?.name ?? this.#activeAtStart)
  readonly loaded: boolean = $derived(this.view?.loaded?.name === this.activeName && this.activeName !== '')

  constructor(
    private readonly backend: Backend,
    private readonly hooks: ModelHooks,
    activeAtStart: string,
  ) {
    this.#activeAtStart = activeAtStart
  }

  async refresh(): Promise<void> {
    try {
      this.view = await this.backend.models()
      this.problem = null
    } catch (error) {
      this.problem = error
    }
  }

  async use(name: string): Promise<boolean> {
    return this.#tried(async () => {
      await this.backend.useModel(name)
      await this.refresh()
    })
  }

  /** Into memory now, so that the next question need not wait. */
  async warm(): Promise<boolean> {
    this.phase = { name: 'start', share: null }
    try {
      return await this.#tried(async () => {
        await this.backend.warmModel((event) => {
          if (event.type !== 'loading') return
          this.phase = { name: event.phase, share: event.total > 0 ? event.done / event.total : null }
        })
        await this.refresh()
      })
    } finally {
      this.phase = null
    }
  }

  pull = (model: KnownModel): Promise<boolean> => this.#begin(() => this.backend.pullModel(model.repo, model.file))
  /** Goes on with a download that an earlier start left unfinished. */
  pullAgain = (source: string): Promise<boolean> => this.#begin(() => this.backend.pullModel(source, null))
  import = (path: string): Promise<boolean> => this.#begin(() => this.backend.importModel(path))
  verify = (name: string): Promise<boolean> => this.#begin(() => this.backend.verifyModel(name))

  /** Answers the bytes it freed; `null` when nothing was removed. */
  async remove(name: string): Promise<number | null> {
    try {
      const freed = await this.backend.removeModel(name)
      await this.refresh()
      return freed
    } catch (error) {
      this.hooks.failed(error)
      return null
    }
  }

  #begin(begin: () => Promise<Job>): Promise<boolean> {
    return this.#tried(async () => this.hooks.began(await begin()))
  }

  async #tried(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      this.hooks.failed(error)
      return false
    }
  }
}
