// `npm test`: everything a change must pass, the quick checks first.

import { minilm } from './minilm.mjs'
import { run } from './run.mjs'
import { setup } from './setup.mjs'

// One set of features for everything, so that each crate is built once.
const ALL = ['--workspace', '--locked', '--features', 'r3mes-desktop/custom-protocol']

const times = []

function step(name, act) {
  const begin = Date.now()
  console.log(`\n=== ${name}`)
  act()
  times.push(`${String(Math.round((Date.now() - begin) / 1000)).padStart(5)} s  ${name}`)
}

const npm = (...script) => {
  // Started by npm itself this names its program; Windows starts no script by its bare name.
  const own = process.env.npm_execpath
  if (own) run(process.execPath, [own, 'run', ...script])
  else run('npm', ['run', ...script])
}

step('set-up', () => setup({ checks: true, window: true }))
step('format', () => run('cargo', ['fmt', '--all', '--check']))
step('page: types, lint, tests', () => npm('ui:check'))
step('page: build', () => npm('ui:build'))
step('browser', () => run(process.execPath, ['--test-reporter=spec', 'tests/window/browser/all.mjs']))
step('clippy', () => run('cargo', ['clippy', ...ALL, '--all-targets', '--', '--deny', 'warnings']))
step('build', () => run('cargo', ['build', ...ALL, '--bins', '--tests']))
step('tests', () => run('cargo', ['test', ...ALL, '--no-fail-fast']))
step('the published MiniLM', () => {
  const folder = minilm()
  if (folder) run('cargo', ['test', ...ALL, '--test', 'minilm'], { R3MES_MINILM: folder })
  else console.log('LEFT OUT: its weights are not in the repository and no package index that has them can be reached')
})
// WebKit has a driver for its real window on Linux only.
if (process.platform === 'linux') step('the real window', () => npm('test:window'))
console.log(`\n${times.join('\n')}`)
