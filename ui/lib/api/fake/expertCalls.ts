// The part of the fake backend that is about experts.

import type { ExpertEntry, ExpertLabel, ExpertSettings, RouteFileReport, Tier } from '../types'
import { FakeCalls } from './calls'
import { FakeExperts } from './experts'
import { EXPERT_SETTINGS } from './router'

const FILE_REPORT: RouteFileReport = {
  rows: 60,
  correct: 52,
  skipped: 1,
  macro_f1: 0.861,
  mean_ms: 0.17,
  experts: ['medical_dora', 'legal_dora', 'coding_dora', 'finance_dora', ''],
  confusion: [
    [14, 0, 0, 0, 1],
    [0, 11, 0, 2, 0],
    [0, 0, 12, 0, 0],
    [0, 3, 0, 9, 0],
    [1, 0, 1, 0, 6],
  ],
}

export class FakeExpertCalls extends FakeCalls {
  readonly fakeExperts: FakeExperts

  constructor(
    fresh: boolean,
    clock: () => number,
    private readonly slow: boolean,
  ) {
    super()
    this.fakeExperts = new FakeExperts(fresh, clock, this.announce)
  }

  async experts() {
    this.called('experts')
    return this.fakeExperts.list
  }

  async tiers() {
    this.called('tiers')
    return this.fakeExperts.tiers
  }

  async preloadExperts(ids: string[], tier: Tier | null) {
    this.called('preloadExperts', ids, tier)
    await this.#wait(450)
    return ids.map((id) => this.fakeExperts.preload(id))
  }

  async unloadExpert(id: string) {
    this.called('unloadExpert', id)
    this.fakeExperts.unload(id)
  }

  async pinExpert(id: string, pinned: boolean) {
    this.called('pinExpert', id, pinned)
    this.fakeExperts.change(id, { pinned })
  }

  async importExpert(path: string, id: string | null): Promise<ExpertEntry> {
    this.called('importExpert', path, id)
    await this.#wait(500)
    return this.fakeExperts.import(path, id)
  }

  async exportExpert(id: string, path: string) {
    this.called('exportExpert', id, path)
    this.fakeExperts.find(id)
  }

  async removeExpert(id: string) {
    this.called('removeExpert', id)
    return this.fakeExperts.remove(id)
  }

  async routeQuestion(text: string) {
    this.called('routeQuestion', text)
    return this.fakeExperts.route(text)
  }

  async routeFile(path: string) {
    this.called('routeFile', path)
    await this.#wait(600)
    return FILE_REPORT
  }

  async expertSettings() {
    this.called('expertSettings')
    return { now: this.fakeExperts.settings, defaults: EXPERT_SETTINGS }
  }

  async saveExpertSettings(changes: Partial<ExpertSettings>) {
    this.called('saveExpertSettings', changes)
    this.fakeExperts.settings = { ...this.fakeExperts.settings, ...changes }
    return this.fakeExperts.settings
  }

  async labelAnswer(message: string, label: ExpertLabel | null) {
    this.called('labelAnswer', message, label)
    this.fakeExperts.label(message, label)
  }

  async routerLabels() {
    this.called('routerLabels')
    return this.fakeExperts.labelCounts
  }

  async refitRouter() {
    this.called('refitRouter')
    await this.#wait(400)
    return this.fakeExperts.fit()
  }

  async undoRefit() {
    this.called('undoRefit')
    this.fakeExperts.unfit()
  }

  #wait(ms: number): Promise<void> {
    return this.slow ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve()
  }
}
