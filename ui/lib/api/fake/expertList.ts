// Experts in every state there is: in memory, on disk, not installed, broken, a person's own.

import type { ExpertEntry, TierReport } from '../types'

const MB = 1_000_000
const GB = 1_000_000_000

function known(domain: string, more: Partial<ExpertEntry> = {}): ExpertEntry {
  return {
    expert_id: `${domain}_dora`,
    domain,
    registered: false,
    tier: null,
    size_bytes: 0,
    resident_bytes: null,
    generation: '',
    pinned: false,
    name: domain[0]!.toUpperCase() + domain.slice(1),
    description: '',
    licence: null,
    base_model: null,
    kind: null,
    rank: null,
    examples: 0,
    evaluation: [],
    hits: 0,
    misses: 0,
    last_used_ms: null,
    ...more,
  }
}

const INSTALLED: Partial<ExpertEntry> = {
  registered: true,
  tier: 'disk',
  size_bytes: 61.4 * MB,
  resident_bytes: 66.2 * MB,
  generation: 'sha256:9f2c41d07be1',
  licence: 'Apache-2.0',
  base_model: 'bitnet-2b-4t',
  kind: 'weight_decomposed',
  rank: 16,
  examples: 240,
}

export function expertsAt(now: number): ExpertEntry[] {
  return [
    known('medical', {
      ...INSTALLED,
      tier: 'ram',
      pinned: true,
      evaluation: [{ name: 'perplexity', base: 14.21, expert: 12.64, lower_is_better: true }],
      hits: 12,
      misses: 2,
      last_used_ms: now - 4 * 60_000,
    }),
    known('legal', {
      ...INSTALLED,
      tier: 'ram',
      licence: 'CC-BY-4.0',
      evaluation: [{ name: 'perplexity', base: 18.4, expert: 16.02, lower_is_better: true }],
      hits: 5,
      misses: 1,
      last_used_ms: now - 26 * 60_000,
    }),
    known('coding', {
      ...INSTALLED,
      evaluation: [{ name: 'perplexity', base: 6.31, expert: 6.48, lower_is_better: true }],
      misses: 1,
      last_used_ms: now - 3 * 3_600_000,
    }),
    known('finance', {
      ...INSTALLED,
      tier: null,
      resident_bytes: null,
      kind: null,
      rank: null,
      error: 'adapter `finance_dora`, layer 12 `ffn_up`: magnitude has 2048 values, weight has 6912 output features',
    }),
    known('turkish', { ...INSTALLED, licence: null, rank: 8, size_bytes: 31 * MB, resident_bytes: 33.4 * MB }),
    known('general'),
    known('science'),
    known('own', {
      ...INSTALLED,
      expert_id: 'tarim-uzmani',
      domain: 'tarım',
      name: 'Tarım uzmanı',
      description: 'Toprak, gübreleme ve sulama üzerine, kendi notlarımdan.',
      licence: null,
      kind: 'low_rank',
      rank: 32,
      size_bytes: 118.9 * MB,
      resident_bytes: 127.5 * MB,
      examples: 36,
    }),
    known('own', {
      ...INSTALLED,
      expert_id: 'deneme',
      domain: 'deneme',
      name: 'deneme',
      tier: null,
      resident_bytes: null,
      generation: '',
      kind: null,
      rank: null,
      examples: 0,
      size_bytes: 4.1 * MB,
      error: 'cannot read `adapter_model.safetensors`: 4,100,233 bytes, its header says 4,194,304',
    }),
  ]
}

/** As after the installation: seven names and no files. */
export const BARE_EXPERTS: ExpertEntry[] = [
  known('medical'),
  known('legal'),
  known('coding'),
  known('finance'),
  known('turkish'),
  known('general'),
  known('science'),
]

export function tiersOf(experts: ExpertEntry[], hits: number, evictions: number): TierReport[] {
  const inRam = experts.filter((one) => one.tier === 'ram')
  const onDisk = experts.filter((one) => one.registered)
  const bytes = (list: ExpertEntry[], size: (one: ExpertEntry) => number) =>
    list.reduce((sum, one) => sum + size(one), 0)
  return [
    {
      tier: 'vram',
      present: false,
      reason: 'no NVIDIA driver found',
      budget_bytes: 0,
      used_bytes: 0,
      experts: [],
      hits: 0,
      evictions: 0,
    },
    {
      tier: 'ram',
      present: true,
      reason: 'a quarter of the memory that is free',
      budget_bytes: 512 * MB,
      used_bytes: bytes(inRam, (one) => one.resident_bytes ?? 0),
      experts: inRam.map((one) => one.expert_id),
      hits,
      evictions,
    },
    {
      tier: 'disk',
      present: true,
      reason: 'free space of the data folder',
      budget_bytes: 212.4 * GB,
      used_bytes: bytes(onDisk, (one) => one.size_bytes),
      experts: onDisk.map((one) => one.expert_id),
      hits: 4,
      evictions: 0,
    },
  ]
}
