// `npm test`: everything a change must pass, the quick checks first, the tests last.

import { run } from './run.mjs'
import { setup } from './setup.mjs'

setup({ checks: true })
run('cargo', ['fmt', '--all', '--check'])
run('cargo', ['clippy', '--workspace', '--all-targets', '--locked', '--', '--deny', 'warnings'])
run('cargo', ['test', '--workspace', '--locked', '--no-fail-fast'])
