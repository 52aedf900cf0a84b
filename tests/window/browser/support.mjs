// The built page in a browser, with the backend in memory, under the content security policy of the app.
// Whatever goes wrong in the page itself (an error, a refused script, a request to another host) fails the test.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const dist = process.env.R3MES_UI_DIST ?? join(root, 'dist')
const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** A busy machine takes its time; nothing waits this long when it goes well. */
export const PATIENCE = 20_000

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

let server
let browser
let origin

export async function begin() {
  assert.ok(existsSync(join(dist, 'index.html')), `no page in ${dist}: run \`npm run ui:build\` first`)
  const { csp } = JSON.parse(readFileSync(join(root, 'src-tauri', 'tauri.conf.json'), 'utf8')).app.security
  const policy = Object.entries(csp)
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ')
  server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://page').pathname))
    const file = join(dist, path === '/' ? 'index.html' : path)
    if (!existsSync(file)) return response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': policy,
    })
    response.end(readFileSync(file))
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  origin = `http://127.0.0.1:${server.address().port}`
  browser = await chromium.launch({
    executablePath: process.env.R3MES_BROWSER ?? browsers.find((path) => existsSync(path)),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
}

export async function end() {
  await browser?.close()
  server?.close()
}

/**
 * Opens the window in a context of its own and hands it to `act`.
 * `fresh`: as after the installation. `locale`, `colorScheme`, `width`, `height`: what the system says.
 */
export async function inWindow(options, act) {
  const { fresh = false, locale = 'en-US', colorScheme = 'light', width = 1280, height = 800 } = options
  const context = await browser.newContext({
    locale,
    colorScheme,
    viewport: { width, height },
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const problems = []
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    page.on('pageerror', (error) => problems.push(`error in the page: ${error.stack ?? error.message}`))
    page.on('console', (said) => said.type() === 'error' && problems.push(`the page says: ${said.text()}`))
    page.on('request', (request) => {
      if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(origin))
        problems.push(`asked for ${request.url()}`)
    })
    // Groups such as "Today" depend on the hour; a test must not.
    await page.clock.setSystemTime(new Date(new Date().setHours(15, 0, 0, 0)))
    await page.goto(`${origin}/?fake${fresh ? '&fresh' : ''}`)
    await page.locator('#boot').waitFor({ state: 'detached' })
    await act(page)
  } finally {
    await context.close()
  }
  assert.deepEqual(problems, [])
}

/** Reads again until it is what is wanted; the last value is in the message when it never is. */
export async function until(what, read, wanted) {
  const deadline = Date.now() + PATIENCE
  const good = typeof wanted === 'function' ? wanted : (value) => value === wanted
  for (;;) {
    const value = await read()
    if (good(value)) return value
    if (Date.now() > deadline) {
      const asked = typeof wanted === 'function' ? '' : `, expected ${JSON.stringify(wanted)}`
      assert.fail(`${what}: still ${JSON.stringify(value)}${asked}`)
    }
    await new Promise((again) => setTimeout(again, 25))
  }
}

/** The parts of the window, by role and name. */
export function parts(page, words = EN) {
  const main = page.getByRole('main')
  return {
    main,
    composer: main.getByRole('textbox', { name: words.message, exact: true }),
    send: main.getByRole('button', { name: words.send, exact: true }),
    stop: main.getByRole('button', { name: words.stop, exact: true }),
    questions: main.getByRole('article', { name: words.you, exact: true }),
    answers: main.getByRole('article', { name: words.answer, exact: true }),
    sidebar: page.getByRole('complementary', { name: words.sidebar }),
    list: page.getByRole('navigation', { name: words.conversations }),
    notices: page.getByRole('region', { name: words.notices }),
    /** Of a message: which version it is, of how many. */
    version: (message, index, total) =>
      message.getByRole('group', { name: words.version.replace('{index}', index).replace('{total}', total) }),
  }
}

const EN = {
  message: 'Message',
  send: 'Send',
  stop: 'Stop',
  you: 'You',
  answer: 'Answer',
  sidebar: 'Sidebar',
  conversations: 'Conversations',
  notices: 'Notices',
  version: 'Version {index} of {total}',
}

/** Sends a question with the keyboard, from wherever the window is. */
export async function ask(page, text) {
  const { composer } = parts(page)
  await composer.fill(text)
  await composer.press('Enter')
}

/** Waits until no answer is being made. */
export async function answered(page) {
  await parts(page).send.waitFor()
  await until('an answer is being made', () => page.locator('article[aria-busy="true"]').count(), 0)
}

export const openChat = async (page, title) => {
  await parts(page).list.getByRole('button', { name: title, exact: true }).click()
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
}

/** Chooses from the menu behind a button. */
export async function choose(page, button, entry) {
  await button.click()
  await page.getByRole('menuitem', { name: entry }).click()
}

/** Goes to one of the pages named at the foot of the sidebar. */
export async function go(page, name) {
  await page.getByRole('complementary').getByRole('button', { name, exact: true }).click()
  await page.getByRole('main').getByRole('heading', { level: 1, name }).waitFor()
}
