// How a conversation's answers are made: its system prompt and its sampling. Saved a moment after the last change.

import type { Preset, SamplingChoice } from '../api/types'

export const NO_SAMPLING: SamplingChoice = {
  temperature: null,
  top_p: null,
  top_k: null,
  min_p: null,
  repetition_penalty: null,
  seed: null,
  max_tokens: null,
}

const SAVE_AFTER_MS = 300

export class Parameters {
  systemPrompt = $state('')
  presetId = $state<string | null>(null)
  sampling = $state.raw<SamplingChoice>(NO_SAMPLING)
  /** Whether anything is sampled otherwise than the settings say. */
  readonly differs: boolean = $derived(Object.values(this.sampling).some((value) => value !== null))
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    begin: { systemPrompt: string; presetId: string | null; sampling: SamplingChoice },
    private readonly save: (now: Parameters) => Promise<void>,
  ) {
    this.systemPrompt = begin.systemPrompt
    this.presetId = begin.presetId
    this.sampling = begin.sampling
  }

  set(changes: { systemPrompt?: string; presetId?: string | null; sampling?: SamplingChoice }): void {
    if (changes.systemPrompt !== undefined) this.systemPrompt = changes.systemPrompt
    if (changes.presetId !== undefined) this.presetId = changes.presetId
    if (changes.sampling !== undefined) this.sampling = changes.sampling
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER_MS)
  }

  sample(changes: Partial<SamplingChoice>): void {
    this.set({ sampling: { ...this.sampling, ...changes } })
  }

  use(preset: Preset): void {
    this.set({ systemPrompt: preset.system_prompt, presetId: preset.id, sampling: preset.sampling })
  }

  /** Whether what is set is still what the preset says. */
  same(preset: Preset): boolean {
    return (
      preset.system_prompt === this.systemPrompt &&
      JSON.stringify(ordered(preset.sampling)) === JSON.stringify(ordered(this.sampling))
    )
  }

  /** Saves what was changed and not saved yet. */
  async flush(): Promise<void> {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.save(this)
  }
}

function ordered(sampling: SamplingChoice): unknown[] {
  return (Object.keys(NO_SAMPLING) as (keyof SamplingChoice)[]).map((key) => sampling[key])
}
