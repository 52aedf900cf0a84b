// `npm run bundle`: what can be installed on this system. AppImage and msi fetch tools from the network and are made on request:
// `npm run bundle -- --bundles appimage`.

import { run } from './run.mjs'
import { setup } from './setup.mjs'

const usual = { linux: 'deb,rpm', win32: 'nsis', darwin: 'app,dmg' }

setup({ checks: false, window: true })
const asked = process.argv.slice(2)
const chosen = asked.includes('--bundles') ? asked : ['--bundles', usual[process.platform] ?? 'all', ...asked]
run(process.execPath, ['node_modules/@tauri-apps/cli/tauri.js', 'build', ...chosen])
