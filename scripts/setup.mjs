// What building needs beyond Rust and Node: a C compiler for linking, WebKitGTK for the window on Linux, the packages of
// the page; and for the checks rustfmt, clippy, a browser and a screen that nobody looks at.
// Each is looked for first and installed only when missing; on systems without apt the message says what to install.

import { existsSync, statSync } from 'node:fs'
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

/** What the tests of the window start, and the Debian package that brings each. */
const TEST_PROGRAMS = {
  Xvfb: 'xvfb',
  xauth: 'xauth',
  WebKitWebDriver: 'webkit2gtk-driver',
  'dbus-run-session': 'dbus',
  chromium: 'chromium',
  'fc-list': 'fontconfig',
}

function findTestPrograms() {
  if (process.platform !== 'linux') return
  const missing = Object.keys(TEST_PROGRAMS).filter((program) => !works('sh', ['-c', `command -v ${program}`]))
  if (missing.length === 0) return
  const packages = [...missing.map((program) => TEST_PROGRAMS[program]), 'fonts-dejavu-core', 'at-spi2-core']
  install(packages, `The tests of the window need ${missing.join(', ')}: install ${packages.join(' ')}`)
}

function findPackages() {
  // npm writes this file last; older than the lock file it is of an earlier one.
  const installed = join(root, 'node_modules', '.package-lock.json')
  const lock = join(root, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
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
    findTestPrograms()
    findComponent('fmt', 'rustfmt')
    findComponent('clippy', 'clippy')
  }
}

if (process.argv[1]?.endsWith('setup.mjs')) setup({ checks: true, window: true })
