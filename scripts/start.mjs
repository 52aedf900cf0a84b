// `npm start`: builds the program and opens its window. `npm run chat` is the conversation in the terminal.

import { join } from 'node:path'
import { root, run } from './run.mjs'
import { setup } from './setup.mjs'

const asked = process.argv.slice(2)
if (asked[0] === 'chat') {
  setup({ checks: false })
  run('cargo', ['run', '--release', '--locked', '--quiet', '-p', 'r3mes-cli', '--', ...asked])
} else if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
  console.error('There is no screen to open a window on (DISPLAY and WAYLAND_DISPLAY are not set). `npm run chat` talks in the terminal.')
  process.exit(1)
} else {
  console.log('Building the window; the first time this takes some minutes.')
  setup({ checks: false, window: true })
  run(process.execPath, ['node_modules/@tauri-apps/cli/tauri.js', 'build', '--no-bundle'])
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
  run(join(target, 'release', process.platform === 'win32' ? 'r3mes-desktop.exe' : 'r3mes-desktop'), asked)
}
