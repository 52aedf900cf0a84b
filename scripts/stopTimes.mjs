// How long Ctrl-C takes, from the signal to the end of the process, at random moments of loading and answering:
//   node scripts/stopTimes.mjs /tmp/2b4t [--tries 20] [--busy 2] [--program target/release/r3mes]
// The packed copy beside the model is removed and made again. `--busy` loops keep that many cores busy meanwhile.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tries: { type: 'string', default: '20' },
    busy: { type: 'string', default: '0' },
    program: { type: 'string', default: 'target/release/r3mes' },
  },
})
const [model] = positionals
if (!model) {
  console.error('expected the folder of a model: node scripts/stopTimes.mjs /tmp/2b4t')
  process.exit(2)
}

const home = mkdtempSync(join(tmpdir(), 'r3mes-stop-'))
const env = { ...process.env, R3MES_HOME: home }
const copies = join(model, '.r3mes-packed-v1')
const forget = () => rmSync(copies, { recursive: true, force: true })
const leftovers = () => (existsSync(copies) ? readdirSync(copies).filter((name) => name.includes('.tmp-')) : [])
const query = (prompt) => ['inference', 'query', prompt, '--model', model, '--temperature', '0']

/** Milliseconds of an undisturbed load. */
function load() {
  const done = spawnSync(options.program, [...query('hi'), '--max-tokens', '1', '--json'], { env, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  return JSON.parse(done.stdout).metrics.loading_time_ms
}

/** Interrupts a query `wait` ms after it began or, if `answering`, after its first byte; milliseconds until it ended. */
function stop(prompt, wait, answering) {
  return new Promise((resolve, reject) => {
    const child = spawn(options.program, [...query(prompt), '--stream', '--max-tokens', '100000'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let sent
    const interrupt = () => {
      sent = performance.now()
      child.kill('SIGINT')
    }
    const begin = () => setTimeout(interrupt, wait)
    if (answering) child.stdout.once('data', begin)
    else begin()
    child.stdout.resume()
    child.on('exit', (code) => {
      const took = performance.now() - sent
      if (code === 130) resolve(took)
      else reject(new Error(`exit code ${code}, expected 130`))
    })
  })
}

async function measure(phase, before, prompt, from, to, answering) {
  const times = []
  const left = new Set()
  for (let index = 0; index < Number(options.tries); index += 1) {
    before()
    times.push(await stop(prompt, from + Math.random() * (to - from), answering))
    leftovers().forEach((name) => left.add(name))
  }
  times.sort((a, b) => a - b)
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(0)
  const files = left.size > 0 ? `, ${left.size} temporary files left` : ''
  console.log(`${phase}: median ${at(0.5)} ms, nine in ten ${at(0.9)} ms, most ${at(1)} ms${files}`)
}

const loops = Array.from({ length: Number(options.busy) }, () => spawn('nice', [process.execPath, '-e', 'for (;;);']))
try {
  forget()
  const packing = load()
  const reading = load()
  console.log(`first load ${packing.toFixed(0)} ms, from the copy ${reading.toFixed(0)} ms, ${options.busy} busy loops`)
  const long = 'What is it that you know about it? '.repeat(200)
  await measure('first load', forget, 'hi', 20, packing, false)
  load()
  await measure('load from the copy', () => {}, 'hi', 20, reading, false)
  await measure('prefill', () => {}, long, reading, reading + 2000, false)
  await measure('decode', () => {}, 'hi', 0, 1000, true)
} finally {
  loops.forEach((loop) => loop.kill())
  rmSync(home, { recursive: true })
}
