import type { AppSettings, DoctorReport, OutboundHost, Preset } from '../types'
import { NO_SAMPLING } from './seed'

export const GB = 1_000_000_000
export const MB = 1_000_000

export const SETTINGS: AppSettings = {
  theme: 'system',
  language: 'system',
  zoom: 1,
  send_on_enter: true,
  sidebar_open: true,
  onboarding_done: true,
  onboarding_step: 0,
  threads: 8,
  most_threads: 16,
  kv: 'auto',
  max_tokens: 512,
  temperature: 0.7,
  top_p: 0.9,
  top_k: 40,
  min_p: 0,
  repetition_penalty: 1.1,
}

export const PRESETS: Preset[] = [
  {
    id: 'p1',
    name: 'Plain words',
    system_prompt: 'Answer in plain words, in at most three short paragraphs.',
    sampling: { ...NO_SAMPLING, temperature: 0.4 },
  },
  {
    id: 'p2',
    name: 'Türkçe düzeltmen',
    system_prompt: 'Verilen metnin yazım ve noktalama yanlışlarını düzelt; anlamı değiştirme.',
    sampling: { ...NO_SAMPLING, temperature: 0.1 },
  },
]

export const HOSTS: OutboundHost[] = [
  { host: 'huggingface.co', purpose: 'model_hub', enabled: true },
  { host: 'cdn-lfs.huggingface.co', purpose: 'model_hub_files', enabled: true },
]

export const DOCTOR: DoctorReport = {
  version: '0.1.0',
  system: { name: 'Linux (Debian GNU/Linux 12)', architecture: 'x86_64' },
  cpu: {
    name: 'AMD Ryzen 7 7840U',
    physical_cores: 8,
    logical_cores: 16,
    threads: 8,
    isa: 'avx512-vnni',
    isa_reason: 'the best this processor has; its self-test passed',
    isa_available: ['avx512-vnni', 'avx-vnni', 'avx2', 'scalar'],
    isa_rejected: [],
  },
  memory: { total_bytes: 33.3 * GB, available_bytes: 18.7 * GB },
  gpu: { devices: [], used: false, reason: 'no NVIDIA driver found; the processor computes everything' },
  backend: 'cpu',
  folders: {
    home: '/home/ayşe/.local/share/r3mes',
    home_reason: "this platform's data folder",
    models: '/home/ayşe/.local/share/r3mes/models',
    free_bytes: 212.4 * GB,
    writable: true,
  },
  model: { name: 'bitnet-2b-4t', state: 'ready', reason: 'chosen in the settings' },
  problems: [],
}
