// What building needs beyond Rust and Node: a C compiler for linking, and rustfmt and clippy for the checks.
// Each is looked for first and installed only when missing; on systems without apt the message says what to install.

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { homedir } from 'node:os'
import { run, works } from './run.mjs'

function findCargo() {
  if (works('cargo', ['--version'])) return
  const bin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')
  if (existsSync(bin)) process.env.PATH = bin + delimiter + process.env.PATH
  if (works('cargo', ['--version'])) return
  console.error('Rust is not installed: expected `cargo` in PATH (https://rustup.rs)')
  process.exit(1)
}

function findLinker() {
  if (process.platform !== 'linux' || works('cc', ['--version'])) return
  if (process.getuid() === 0 && works('apt-get', ['--version'])) {
    run('apt-get', ['update'])
    run('apt-get', ['install', '--yes', '--no-install-recommends', 'gcc', 'libc6-dev'], {
      DEBIAN_FRONTEND: 'noninteractive',
    })
    return
  }
  console.error('No C compiler for linking: install gcc and the headers of the C library')
  process.exit(1)
}

function findComponent(subcommand, component) {
  if (works('cargo', [subcommand, '--version'])) return
  run('rustup', ['component', 'add', component])
}

export function setup({ checks }) {
  findCargo()
  findLinker()
  if (checks) {
    findComponent('fmt', 'rustfmt')
    findComponent('clippy', 'clippy')
  }
}

if (process.argv[1]?.endsWith('setup.mjs')) setup({ checks: true })
