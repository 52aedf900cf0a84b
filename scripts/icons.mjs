// Makes every size of the icon from the drawings in icons/: `node scripts/icons.mjs`. At 16 pixels the large drawing is a
// blur, so that size has a drawing of its own, which is put into the Windows icon in place of the small copy.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run } from './run.mjs'

const tauri = join(root, 'node_modules', '@tauri-apps', 'cli', 'tauri.js')
const icons = join(root, 'src-tauri', 'icons')

run(process.execPath, [tauri, 'icon', 'icons/app.svg', '--output', icons])
for (const phones of ['android', 'ios']) rmSync(join(icons, phones), { recursive: true, force: true })

const small = mkdtempSync(join(tmpdir(), 'r3mes-icons-'))
run(process.execPath, [tauri, 'icon', 'icons/app-small.svg', '--output', small, '--png', '16'])
const png = readFileSync(join(small, '16x16.png'))
rmSync(small, { recursive: true })

// An .ico is a table of pictures: width in byte 0 of an entry, its length in bytes 8 to 11, its place in bytes 12 to 15.
const HEADER = 6
const ENTRY = 16
const ico = readFileSync(join(icons, 'icon.ico'))
const entries = Array.from({ length: ico.readUInt16LE(4) }, (_, index) => {
  const head = Buffer.from(ico.subarray(HEADER + index * ENTRY, HEADER + (index + 1) * ENTRY))
  const picture = ico.subarray(head.readUInt32LE(12), head.readUInt32LE(12) + head.readUInt32LE(8))
  return { head, picture: head[0] === 16 ? png : picture }
})
let place = HEADER + entries.length * ENTRY
for (const { head, picture } of entries) {
  head.writeUInt32LE(picture.length, 8)
  head.writeUInt32LE(place, 12)
  place += picture.length
}
const parts = [ico.subarray(0, HEADER), ...entries.map(({ head }) => head), ...entries.map(({ picture }) => picture)]
writeFileSync(join(icons, 'icon.ico'), Buffer.concat(parts))
