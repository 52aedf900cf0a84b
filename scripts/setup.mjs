// What building needs beyond Rust and Node: a C compiler for linking, WebKitGTK for the window on Linux, the packages of
// the page, and rustfmt and clippy for the checks.
// Each is looked for first and installed only when missing; on systems without apt the message says what to install.

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { homedir } from 'node:os'
import { root, run, works } from './run.mjs'

function findCargo() {
  if (works('cargo', ['--version'])) return
  const bin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')
  if (existsSync(bin)) process.env.PATH = bin + delimiter + process.env.PATH
  if (works('cargo', ['--version'])) return
  console.error('Rust is not installed: expected `cargo` in PATH (https://rustup.rs)')
  process.exit(1)
}

function install(packages, otherwise) {
  if (process.getuid() === 0 && works('apt-get', ['--version'])) {
    run('apt-get', ['update'])
    run('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], {
      DEBIAN_FRONTEND: 'noninteractive',
    })
    return
  }
  console.error(otherwise)
  process.exit(1)
}

function findLinker() {
  if (process.platform !== 'linux' || works('cc', ['--version'])) return
  install(['gcc', 'libc6-dev'], 'No C compiler for linking: install gcc and the headers of the C library')
}

function findWebKit() {
  if (process.platform !== 'linux' || works('pkg-config', ['--exists', 'webkit2gtk-4.1'])) return
  const packages = ['libwebkit2gtk-4.1-dev', 'librsvg2-dev', 'libssl-dev', 'build-essential', 'pkg-config', 'file']
  install(packages, `No WebKitGTK for the window: install ${packages.join(' ')} (or what your system calls them)`)
}

function findPackages() {
  if (existsSync(join(root, 'node_modules', '@tauri-apps', 'cli'))) return
  // Started by npm itself this names its program; Windows starts no script by its bare name.
  const npm = process.env.npm_execpath
  if (npm) run(process.execPath, [npm, 'ci'])
  else run('npm', ['ci'])
}

function findComponent(subcommand, component) {
  if (works('cargo', [subcommand, '--version'])) return
  run('rustup', ['component', 'add', component])
}

export function setup({ checks, window = false }) {
  findCargo()
  findLinker()
  if (window) {
    findWebKit()
    findPackages()
  }
  if (checks) {
    findComponent('fmt', 'rustfmt')
    findComponent('clippy', 'clippy')
  }
}

if (process.argv[1]?.endsWith('setup.mjs')) setup({ checks: true, window: true })
