// The fake experts: where they are, what may be done with them, and who helps with a question.

import { BackendError } from '../backend'
import type {
  Change,
  ExpertChoice,
  ExpertEntry,
  ExpertLabel,
  ExpertSettings,
  PlannedExpert,
  PreloadReport,
  RefitReport,
  Route,
  RouterLabels,
  Routing,
  TierReport,
} from '../types'
import { expertsAt, BARE_EXPERTS, tiersOf } from './expertList'
import { EXPERT_SETTINGS, forced, routeOf } from './router'

const RAM_BUDGET = 512_000_000

export class FakeExperts {
  list: ExpertEntry[]
  settings: ExpertSettings = EXPERT_SETTINGS
  labels = new Map<string, ExpertLabel>()
  refit: RefitReport | null = null
  #seen = 0
  #evictions = 0

  constructor(
    fresh: boolean,
    private readonly now: () => number,
    private readonly changed: (change: Change) => void,
  ) {
    this.list = fresh ? BARE_EXPERTS : expertsAt(now())
  }

  find(id: string): ExpertEntry {
    const found = this.list.find((one) => one.expert_id === id)
    if (!found) throw new BackendError('unknown_name', `unknown expert \`${id}\``)
    return found
  }

  change(id: string, changes: Partial<ExpertEntry>): ExpertEntry {
    const after = { ...this.find(id), ...changes }
    this.list = this.list.map((one) => (one.expert_id === id ? after : one))
    this.changed('experts')
    return after
  }

  get tiers(): TierReport[] {
    return tiersOf(
      this.list,
      this.list.reduce((sum, one) => sum + one.hits, 0),
      this.#evictions,
    )
  }

  preload(id: string): PreloadReport {
    const one = this.find(id)
    if (!one.registered) return { expert_id: id, tier: null, ms: 0, error: `expert \`${id}\` is not installed` }
    if (one.error) return { expert_id: id, tier: null, ms: 0, error: one.error }
    if (one.tier !== 'disk') return { expert_id: id, tier: one.tier, ms: 0.2 }
    const need = one.resident_bytes ?? 0
    const ram = this.tiers.find((tier) => tier.tier === 'ram')!
    if (ram.used_bytes + need > RAM_BUDGET) {
      const oldest = this.list.findLast((other) => other.tier === 'ram' && !other.pinned)
      if (oldest) this.unload(oldest.expert_id)
      this.#evictions += 1
    }
    this.change(id, { tier: 'ram' })
    return { expert_id: id, tier: 'ram', ms: 38.4 }
  }

  unload(id: string): void {
    if (this.find(id).tier === 'ram') this.change(id, { tier: 'disk' })
  }

  import(path: string, wanted: string | null): ExpertEntry {
    const name = path
      .split(/[\\/]/)
      .at(-1)!
      .replace(/\.r3mes-expert$/, '')
    if (/broken|bozuk/.test(name))
      throw new BackendError('expert_unusable', `cannot open \`${path}\`: magnitude is missing`)
    const id = wanted ?? name.toLowerCase().replace(/[^a-z0-9_-]+/g, '-')
    const like = expertsAt(this.now())[2]!
    const made = { ...like, tier: 'disk' as const, hits: 0, misses: 0, last_used_ms: null, evaluation: [] }
    if (this.list.some((one) => one.expert_id === id)) {
      const { domain, name: known } = this.find(id)
      return this.change(id, { ...made, expert_id: id, domain, name: known })
    }
    const own = { ...made, expert_id: id, domain: id, name, description: '' }
    this.list = [...this.list, own]
    this.changed('experts')
    return own
  }

  remove(id: string): number {
    const one = this.find(id)
    const bare = BARE_EXPERTS.find((other) => other.expert_id === id)
    this.list = this.list.flatMap((other) => (other !== one ? [other] : bare ? [bare] : []))
    this.changed('experts')
    return one.size_bytes
  }

  route(question: string, kept: string | null = null): Route {
    return this.#gated(routeOf(question, this.settings, kept))
  }

  /** Who helps with an answer, and from where. */
  routing(question: string, choice: ExpertChoice, kept: string | null = null): Routing | null {
    if (choice.mode === 'base' || (choice.mode === 'auto' && !this.settings.router_enabled)) {
      const route = routeOf('', this.settings)
      return {
        route: { ...route, scores: [], candidates: [], reason: 'none', reason_text: '' },
        experts: [],
        verdict: '',
      }
    }
    if (choice.mode === 'pinned') {
      for (const id of choice.ids) {
        const { registered, error } = this.find(id)
        if (!registered) throw new BackendError('unknown_name', `expert \`${id}\` is not installed`)
        if (error) throw new BackendError('expert_unusable', error)
      }
    }
    const route = choice.mode === 'pinned' ? forced(question, choice.ids, this.settings) : this.route(question, kept)
    const gone = new Set(route.dropped.map((one) => one.expert_id))
    const able = route.candidates.filter((one) => !gone.has(one.expert_id))
    const total = able.reduce((sum, one) => sum + one.weight, 0) || 1
    return { route, experts: able.map((one) => this.#planned(one.expert_id, one.weight / total)), verdict: '' }
  }

  #planned(id: string, weight: number): PlannedExpert {
    const one = this.find(id)
    return {
      expert_id: id,
      weight,
      generation: one.generation,
      tier: 'ram',
      resident_bytes: one.resident_bytes ?? 0,
      fetched: one.tier === 'disk',
    }
  }

  /** Without the experts that cannot run. */
  #gated(route: Route): Route {
    const dropped = route.candidates.flatMap(({ expert_id }) => {
      const one = this.list.find((other) => other.expert_id === expert_id)
      if (!one?.registered) return [{ expert_id, reason: 'not installed' }]
      return one.error ? [{ expert_id, reason: one.error }] : []
    })
    return { ...route, dropped }
  }

  used({ experts }: Routing): void {
    for (const { expert_id, fetched } of experts) {
      const { hits, misses } = this.find(expert_id)
      const counts = fetched ? { misses: misses + 1 } : { hits: hits + 1 }
      this.change(expert_id, { ...counts, tier: 'ram', last_used_ms: this.now() })
    }
  }

  label(message: string, label: ExpertLabel | null): void {
    if (label) this.labels.set(message, label)
    else this.labels.delete(message)
    this.changed('experts')
  }

  get labelCounts(): RouterLabels {
    return {
      total: this.labels.size,
      unused: Math.max(0, this.labels.size - this.#seen),
      refit: this.refit,
    }
  }

  fit(): RefitReport {
    if (this.labels.size === 0) throw new BackendError('bad_request', 'no labels yet, expected at least one')
    this.#seen = this.labels.size
    this.refit = { labels: this.labels.size, before: 0.72, after: 0.86 }
    return this.refit
  }

  unfit(): void {
    this.refit = null
    this.#seen = 0
  }
}
