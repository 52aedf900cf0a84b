/** A typed number, with a point or a comma before its decimals; `null` when it is none. */
export function parseDecimal(text: string): number | null {
  const plain = text
    .trim()
    .replace(/[\s\u00a0\u202f]/g, '')
    .replace('−', '-')
  const lastComma = plain.lastIndexOf(',')
  const lastPoint = plain.lastIndexOf('.')
  // With both, the later one stands before the decimals and the other one groups.
  const usual =
    lastComma > lastPoint
      ? plain.replaceAll('.', '').replace(',', '.')
      : lastPoint >= 0
        ? plain.replaceAll(',', '')
        : plain
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(usual)) return null
  const value = Number(usual)
  return Number.isFinite(value) ? value : null
}
