// `npm start`: builds the program and opens its window. `npm start -- chat …` is the conversation in the terminal.

import { join } from 'node:path'
import { root, run } from './run.mjs'
import { setup } from './setup.mjs'

const asked = process.argv.slice(2)
if (asked[0] === 'chat') {
  setup({ checks: false })
  run('cargo', ['run', '--release', '--locked', '--quiet', '-p', 'r3mes-cli', '--', ...asked])
} else {
  setup({ checks: false, window: true })
  run(process.execPath, ['node_modules/@tauri-apps/cli/tauri.js', 'build', '--no-bundle'])
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
  run(join(target, 'release', process.platform === 'win32' ? 'r3mes-desktop.exe' : 'r3mes-desktop'), asked)
}
