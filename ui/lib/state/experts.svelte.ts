// The experts on this computer and where they are: one reading, taken again whenever the core says so.

import { SvelteSet } from 'svelte/reactivity'
import type { Backend } from '../api/backend'
import type { ExpertEntry, PreloadReport, TierReport } from '../api/types'
import { fieldOf } from '../i18n/expertWords'

export type ExpertState = 'vram' | 'ram' | 'disk' | 'missing' | 'broken'

export function stateOf(entry: ExpertEntry): ExpertState {
  if (entry.error) return 'broken'
  return entry.registered ? (entry.tier ?? 'disk') : 'missing'
}

/** Of its questions, those that found it in memory; `null` before the first one. */
export function hitRate({ hits, misses }: ExpertEntry): number | null {
  return hits + misses > 0 ? hits / (hits + misses) : null
}

export class Experts {
  list = $state.raw<ExpertEntry[] | null>(null)
  tiers = $state.raw<TierReport[]>([])
  problem = $state.raw<unknown>(null)
  /** Those being brought into memory. */
  readonly loading = new SvelteSet<string>()
  /** Files being added. */
  adding = $state(0)
  /** Files that could not be added, and why, until the next try. */
  refused = $state.raw<{ path: string; error: unknown }[]>([])

  readonly known: ExpertEntry[] = $derived((this.list ?? []).filter((one) => fieldOf(one.expert_id)))
  readonly own: ExpertEntry[] = $derived((this.list ?? []).filter((one) => !fieldOf(one.expert_id)))
  readonly usable: ExpertEntry[] = $derived((this.list ?? []).filter((one) => one.registered && !one.error))

  constructor(
    private readonly backend: Backend,
    private readonly failed: (error: unknown) => void,
  ) {}

  get(id: string): ExpertEntry | undefined {
    return this.list?.find((one) => one.expert_id === id)
  }

  async refresh(): Promise<void> {
    try {
      const [list, tiers] = await Promise.all([this.backend.experts(), this.backend.tiers()])
      this.list = list
      this.tiers = tiers
      this.problem = null
    } catch (error) {
      this.problem = error
    }
  }

  /** Into memory now, so that the next question need not wait. */
  async preload(ids: string[]): Promise<PreloadReport[]> {
    for (const id of ids) this.loading.add(id)
    try {
      const reports = await this.backend.preloadExperts(ids, null)
      await this.refresh()
      return reports
    } catch (error) {
      this.failed(error)
      return []
    } finally {
      for (const id of ids) this.loading.delete(id)
    }
  }

  unload = (id: string): Promise<boolean> => this.#tried(() => this.backend.unloadExpert(id))
  pin = (id: string, pinned: boolean): Promise<boolean> => this.#tried(() => this.backend.pinExpert(id, pinned))

  /** One after the other; a file that is no expert keeps no other from being added. Answers those that were. `id`: what it
   * is to be here; else its files say so. */
  async add(paths: string[], id: string | null = null): Promise<ExpertEntry[]> {
    this.refused = []
    const added: ExpertEntry[] = []
    this.adding += paths.length
    for (const path of paths) {
      try {
        added.push(await this.backend.importExpert(path, id))
      } catch (error) {
        this.refused = [...this.refused, { path, error }]
      } finally {
        this.adding -= 1
      }
    }
    await this.refresh()
    return added
  }

  /** Answers the bytes it freed; `null` when nothing was removed. */
  async remove(id: string): Promise<number | null> {
    let freed: number | null = null
    await this.#tried(async () => {
      freed = await this.backend.removeExpert(id)
    })
    return freed
  }

  async #tried(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      await this.refresh()
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }
}
