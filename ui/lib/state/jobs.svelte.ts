// Long work: downloads, imports, checks. The core holds it; the window only shows it, and survives without it.

import type { Backend } from '../api/backend'
import type { Job } from '../api/types'

export interface JobHooks {
  ended(job: Job): void
  failed(error: unknown): void
}

export class Jobs {
  list = $state.raw<Job[]>([])
  readonly active: Job[] = $derived(this.list.filter((job) => job.state === 'running' || job.state === 'paused'))
  readonly running: Job[] = $derived(this.list.filter((job) => job.state === 'running'))
  /** Of all that run, together; `null` while nobody knows how much there is. */
  readonly share: number | null = $derived.by(() => {
    const total = this.active.reduce((sum, job) => sum + job.total_bytes, 0)
    const done = this.active.reduce((sum, job) => sum + job.done_bytes, 0)
    return total > 0 ? Math.min(1, done / total) : null
  })
  #reading: Promise<void> | null = null
  #again = false

  constructor(
    private readonly backend: Backend,
    private readonly hooks: JobHooks,
  ) {}

  get(id: string): Job | undefined {
    return this.list.find((job) => job.id === id)
  }

  /** The job that works on something, if one does. */
  on(subject: string): Job | undefined {
    return this.active.find((job) => job.subject === subject)
  }

  /** Changes come faster than answers: one reading at a time, and one more when something changed meanwhile. */
  refresh(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return this.#reading
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = null
      if (this.#again) {
        this.#again = false
        void this.refresh()
      }
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    try {
      const list = await this.backend.jobs()
      const before = new Map(this.list.map((job) => [job.id, job.state]))
      this.list = list
      for (const job of list) {
        const was = before.get(job.id)
        if ((was === 'running' || was === 'paused') && (job.state === 'done' || job.state === 'failed')) {
          this.hooks.ended(job)
        }
      }
    } catch (error) {
      this.hooks.failed(error)
    }
  }

  /** Shows a job at once that the core has just begun. */
  put(job: Job): void {
    this.list = [job, ...this.list.filter((other) => other.id !== job.id)]
  }

  pause = (id: string): Promise<void> => this.#tell(this.backend.pauseJob(id))
  resume = (id: string): Promise<void> => this.#tell(this.backend.resumeJob(id))
  cancel = (id: string): Promise<void> => this.#tell(this.backend.cancelJob(id))
  dismiss = (id: string): Promise<void> => this.#tell(this.backend.dismissJob(id))

  async #tell(told: Promise<void>): Promise<void> {
    try {
      await told
    } catch (error) {
      this.hooks.failed(error)
    }
    await this.refresh()
  }
}
