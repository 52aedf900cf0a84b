// `npm start`: builds the program and opens a conversation in the terminal.

import { run } from './run.mjs'
import { setup } from './setup.mjs'

setup({ checks: false })
run('cargo', ['run', '--release', '--locked', '--quiet', '-p', 'r3mes-cli', '--', 'chat', ...process.argv.slice(2)])
