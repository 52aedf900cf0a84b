// Runs a program with its output on ours, and ends with its exit code when it fails.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

export function run(program, args, env = {}) {
  const done = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (done.error) {
    console.error(`cannot run \`${program}\`: ${done.error.message}`)
    process.exit(1)
  }
  if (done.status !== 0) process.exit(done.status ?? 1)
}

export function works(program, args) {
  return spawnSync(program, args, { cwd: root, stdio: 'ignore' }).status === 0
}
