// What the window costs on Linux: time from the start of the process to the first paint, and memory at rest without a model.
//
//   xvfb-run -a -s '-screen 0 1280x900x24' dbus-run-session -- node scripts/windowFigures.mjs [PROGRAM] [STARTS]

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './run.mjs'

const program = process.argv[2] ?? join(root, 'target', 'release', 'r3mes-desktop')
const starts = Number(process.argv[3] ?? 5)
if (!existsSync(program) || !Number.isInteger(starts) || starts < 1) {
  console.error(
    `program ${program}, ${process.argv[3] ?? 5} starts: expected a program that is there and at least one start`,
  )
  process.exit(2)
}
/** After the first paint the page still reads its lists; then nothing happens any more. */
const REST_MS = 8_000
const PATIENCE_MS = 30_000

const home = mkdtempSync(join(tmpdir(), 'r3mes-figures-'))
const sleep = (ms) => new Promise((awake) => setTimeout(awake, ms))

/** When the window was painted first, as the program's own log has it; of the starts before this one too. */
function paints() {
  try {
    const logs = readdirSync(join(home, 'logs')).map((name) => readFileSync(join(home, 'logs', name), 'utf8'))
    return [...logs.join('').matchAll(/^(\S+) .*painted ms=\d+/gm)].map((match) => Date.parse(match[1]))
  } catch {
    return []
  }
}

/** The process and all that it started, WebKit's included. */
function family(pid) {
  const parents = new Map()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[1]
      parents.set(Number(name), Number(parent))
    } catch {
      // It has ended meanwhile.
    }
  }
  const all = [pid]
  for (const one of all) for (const [child, parent] of parents) if (parent === one) all.push(child)
  return all
}

/** Proportional set size in MB: shared pages count in part, so that the sum over processes is what they really take. */
function memory(pid) {
  const kilobytes = (one) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
  return family(pid).map((one) => ({
    name: readFileSync(`/proc/${one}/comm`, 'utf8').trim(),
    mb: (kilobytes(one) * 1024) / 1e6,
  }))
}

for (let start = 1; start <= starts; start += 1) {
  const before = paints().length
  const begun = Date.now()
  const app = spawn(program, [], { env: { ...process.env, R3MES_HOME: home }, stdio: ['ignore', 'ignore', 'inherit'] })
  const deadline = Date.now() + PATIENCE_MS
  while (paints().length === before) {
    if (Date.now() > deadline || app.exitCode !== null) throw new Error(`${program} painted nothing`)
    await sleep(20)
  }
  await sleep(REST_MS)
  const parts = memory(app.pid)
  const sum = parts.reduce((total, part) => total + part.mb, 0)
  console.log(
    `start ${start}: first paint ${paints().at(-1) - begun} ms, at rest ${sum.toFixed(0)} MB (${parts.map((part) => `${part.name} ${part.mb.toFixed(0)}`).join(', ')})`,
  )
  const ended = new Promise((end) => app.once('exit', end))
  app.kill()
  await ended
}
rmSync(home, { recursive: true })
