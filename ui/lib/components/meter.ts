export type Tone = 'calm' | 'warn' | 'full'

/** Grey, amber above 65 %, red above 85 %. */
export function tone(share: number): Tone {
  if (share > 0.85) return 'full'
  return share > 0.65 ? 'warn' : 'calm'
}
