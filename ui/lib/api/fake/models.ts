// The fake models and the long work on them.

import { BackendError } from '../backend'
import type { Change, Job, JobKind, KnownModel, ModelsView } from '../types'
import { GB, MB } from './settings'

const HOME = '/home/ayşe/.local/share/r3mes/models'
const STEP_MS = 250
const BYTES_PER_SECOND = 38 * MB

function known(): KnownModel[] {
  const free = 18.7 * GB
  return [
    {
      repo: 'microsoft/bitnet-b1.58-2B-4T',
      file: null,
      name: 'BitNet b1.58 2B 4T',
      parameters: '2.4 B',
      download_bytes: 1.18 * GB,
      memory_bytes: 1.4 * GB,
      context_tokens: 4096,
      licence: 'MIT',
      recommended: true,
      fit: 'comfortable',
      free_bytes: free,
      installed: true,
    },
    {
      repo: 'tiiuae/Falcon3-7B-Instruct-1.58bit',
      file: null,
      name: 'Falcon3 7B Instruct 1.58bit',
      parameters: '7.5 B',
      download_bytes: 3.28 * GB,
      memory_bytes: 4.1 * GB,
      context_tokens: 32_768,
      licence: 'Falcon-LLM 2.0',
      recommended: false,
      fit: 'comfortable',
      free_bytes: free,
      installed: false,
    },
    {
      repo: 'tiiuae/Falcon3-10B-Instruct-1.58bit',
      file: null,
      name: 'Falcon3 10B Instruct 1.58bit',
      parameters: '10.3 B',
      download_bytes: 3.99 * GB,
      memory_bytes: 15.2 * GB,
      context_tokens: 32_768,
      licence: 'Falcon-LLM 2.0',
      recommended: false,
      fit: 'tight',
      free_bytes: free,
      installed: false,
    },
    {
      repo: 'HF1BitLLM/Llama3-8B-1.58-100B-tokens',
      file: null,
      name: 'Llama3 8B 1.58 (100B tokens)',
      parameters: '8.0 B',
      download_bytes: 2.84 * GB,
      memory_bytes: 24.9 * GB,
      context_tokens: 8192,
      licence: 'Llama 3',
      recommended: false,
      fit: 'too_large',
      free_bytes: free,
      installed: false,
    },
  ]
}

function view(): ModelsView {
  return {
    installed: [
      {
        state: 'ready',
        name: 'bitnet-2b-4t',
        active: true,
        built_in: false,
        source: 'hub:microsoft/bitnet-b1.58-2B-4T',
        revision: '04c3b9ad9361b824064a1f25ea60a8be9599b127',
        licence: 'MIT',
        size_bytes: 1.18 * GB,
        path: `${HOME}/bitnet-2b-4t`,
      },
      {
        state: 'ready',
        name: 'builtin',
        active: false,
        built_in: true,
        source: 'builtin',
        revision: null,
        licence: 'Apache-2.0',
        size_bytes: 2.3 * MB,
        path: '/usr/lib/R3MES Desktop/models/builtin',
      },
      {
        state: 'broken',
        reason: 'cannot open `model.gguf`: the file is not there any more',
        name: 'tez-modeli',
        active: false,
        built_in: false,
        source: 'file:/home/ayşe/İndirilenler/model.gguf',
        revision: null,
        licence: null,
        size_bytes: 0,
        path: '/home/ayşe/İndirilenler/model.gguf',
      },
    ],
    unfinished: [
      {
        name: 'falcon3-3b',
        source: 'hub:tiiuae/Falcon3-3B-Instruct-1.58bit',
        done_bytes: 0.61 * GB,
        total_bytes: 1.58 * GB,
      },
    ],
    known: known(),
    loaded: { name: 'bitnet-2b-4t', backend: 'cpu · avx512-vnni' },
  }
}

export class FakeModels {
  view = view()
  jobs: Job[] = []
  #timers = new Map<string, ReturnType<typeof setInterval>>()
  #next = 1

  constructor(
    private readonly changed: (change: Change) => void,
    private readonly quick: boolean,
  ) {}

  use(name: string): void {
    const found = this.view.installed.find((model) => model.name === name)
    if (!found) throw new BackendError('unknown_name', `unknown model \`${name}\``)
    if (found.state === 'broken')
      throw new BackendError('model_unusable', `model \`${name}\` cannot be used: ${found.reason}`)
    this.view = {
      ...this.view,
      installed: this.view.installed.map((model) => ({ ...model, active: model === found })),
      loaded: null,
    }
    this.changed('models')
  }

  remove(name: string): number {
    const found = this.view.installed.find((model) => model.name === name)
    if (!found) throw new BackendError('unknown_name', `unknown model \`${name}\``)
    const rest = this.view.installed.filter((model) => model !== found)
    this.view = {
      ...this.view,
      installed: rest.map((model) => ({ ...model, active: model.active || (found.active && model.built_in) })),
      known: this.view.known.map((one) => (found.source === `hub:${one.repo}` ? { ...one, installed: false } : one)),
    }
    this.changed('models')
    return found.size_bytes
  }

  begin(kind: JobKind, subject: string, total: number): Job {
    const running = this.jobs.find((job) => job.subject === subject && job.state === 'running')
    if (running) return running
    const job: Job = {
      id: `j${this.#next++}`,
      kind,
      subject,
      state: 'running',
      message: kind === 'pull' ? 'model.safetensors' : 'checksum',
      code: '',
      done_bytes: 0,
      total_bytes: total,
      bytes_per_second: 0,
      eta_seconds: null,
    }
    this.jobs = [job, ...this.jobs]
    this.#run(job.id)
    this.changed('jobs')
    return job
  }

  pause(id: string): void {
    this.#stop(id)
    this.#put(id, (job) => ({ ...job, state: 'paused', bytes_per_second: 0, eta_seconds: null }))
  }

  resume(id: string): void {
    this.#put(id, (job) => ({ ...job, state: 'running' }))
    this.#run(id)
  }

  cancel(id: string): void {
    this.#stop(id)
    this.#put(id, (job) => ({ ...job, state: 'cancelled', bytes_per_second: 0, eta_seconds: null }))
  }

  dismiss(id: string): void {
    this.#stop(id)
    this.jobs = this.jobs.filter((job) => job.id !== id)
    this.changed('jobs')
  }

  #run(id: string): void {
    const step = this.quick ? 10 : STEP_MS
    const bytes = this.quick ? Infinity : (BYTES_PER_SECOND * STEP_MS) / 1000
    this.#timers.set(
      id,
      setInterval(() => this.#advance(id, bytes), step),
    )
  }

  #advance(id: string, bytes: number): void {
    const job = this.jobs.find((other) => other.id === id)
    if (!job) return this.#stop(id)
    const done = Math.min(job.total_bytes, job.done_bytes + bytes * (job.kind === 'pull' ? 1 : 12))
    if (job.subject.includes('/fail') && done > job.total_bytes * 0.1) {
      this.#stop(id)
      this.#put(id, (one) => ({
        ...one,
        state: 'failed',
        message: 'the hub closed the connection: 3 tries, 42 MB received',
        code: 'download',
      }))
      return
    }
    const ended = done >= job.total_bytes
    if (ended) this.#stop(id)
    this.#put(id, (one) => ({
      ...one,
      done_bytes: done,
      state: ended ? 'done' : 'running',
      bytes_per_second: ended ? 0 : BYTES_PER_SECOND,
      eta_seconds: ended ? 0 : (one.total_bytes - done) / BYTES_PER_SECOND,
    }))
    if (ended) this.#finished(job)
  }

  #finished(job: Job): void {
    if (job.kind === 'verify') return
    const one = this.view.known.find((model) => model.repo === job.subject)
    const name = (one?.name ?? job.subject.split('/').at(-1)!).toLowerCase().replaceAll(/[^\p{L}\p{N}.]+/gu, '-')
    this.view = {
      ...this.view,
      known: this.view.known.map((model) => (model === one ? { ...model, installed: true } : model)),
      unfinished: this.view.unfinished.filter((part) => part.source !== `hub:${job.subject}`),
      installed: [
        ...this.view.installed,
        {
          state: 'ready',
          name,
          active: false,
          built_in: false,
          source: job.kind === 'pull' ? `hub:${job.subject}` : `file:${job.subject}`,
          revision: null,
          licence: one?.licence ?? null,
          size_bytes: job.total_bytes,
          path: `${HOME}/${name}`,
        },
      ],
    }
    this.changed('models')
  }

  #stop(id: string): void {
    clearInterval(this.#timers.get(id))
    this.#timers.delete(id)
  }

  #put(id: string, change: (job: Job) => Job): void {
    this.jobs = this.jobs.map((job) => (job.id === id ? change(job) : job))
    this.changed('jobs')
  }
}
