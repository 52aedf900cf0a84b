// The doctor's report as a person would tell it.

import type { DoctorReport } from '$lib/api/types'

export type Speed = 'fast' | 'good' | 'slow'

/** What an instruction set means for answers. */
export function speedOf(isa: string): Speed {
  if (/vnni|dotprod|i8mm|amx/i.test(isa)) return 'fast'
  return /avx|neon|sse/i.test(isa) ? 'good' : 'slow'
}

/** Whether the instruction set is the program's own choice, rather than one it was told to take. */
export function isOwnChoice(report: DoctorReport): boolean {
  return report.cpu.isa_available[0] === report.cpu.isa
}

/** Plain lines for a message to somebody who helps. */
export function asText(report: DoctorReport): string {
  const { cpu, memory, gpu, folders, model } = report
  const lines: [string, string | number][] = [
    ['r3mes', report.version],
    ['system', `${report.system.name}, ${report.system.architecture}`],
    ['processor', `${cpu.name}, ${cpu.physical_cores} cores, ${cpu.logical_cores} hardware threads`],
    ['threads', cpu.threads],
    ['instruction set', `${cpu.isa} (${cpu.isa_reason})`],
    ['available sets', cpu.isa_available.join(', ')],
    ['rejected sets', cpu.isa_rejected.join(', ') || 'none'],
    ['memory', `${memory.available_bytes} bytes available of ${memory.total_bytes}`],
    ['graphics', `${gpu.devices.map((device) => device.name).join(', ') || 'none'} (${gpu.reason})`],
    ['backend', report.backend],
    ['free disk space', folders.free_bytes === null ? 'not known' : `${folders.free_bytes} bytes`],
    ['model', `${model.name}, ${model.state} (${model.reason})`],
    ['problems', report.problems.join('; ') || 'none'],
  ]
  return lines.map(([name, value]) => `${name.padEnd(16)} ${value}`).join('\n')
}
