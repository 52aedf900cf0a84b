// All of it in one process with one browser: `node tests/window/browser/all.mjs`.

import { after, before } from 'node:test'
import { begin, end } from './support.mjs'

before(begin)
after(end)

await import('./chat.mjs')
await import('./experts.mjs')
await import('./frame.mjs')
await import('./views.mjs')
