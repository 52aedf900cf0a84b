// The real program, driven through WebKit's own WebDriver: what a person does with mouse and keyboard, nothing inside it.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
const program = process.env.R3MES_APP ?? join(target, 'debug', 'r3mes-desktop')
/** A busy machine takes its time; nothing waits this long when it goes well. */
const PATIENCE = 60_000

/** Everything of a run lies here: a home, a data folder and the pictures. A name as people have them. */
export const place = mkdtempSync(join(tmpdir(), 'r3mes-window-'))
export const home = join(place, 'Şükrü Öğüt', 'R3MES verileri')
const pictures = join(place, 'pictures')
mkdirSync(pictures)

const env = {
  ...process.env,
  LANG: 'en_US.UTF-8',
  LC_ALL: '',
  LANGUAGE: '',
  HOME: join(place, 'Şükrü Öğüt'),
  XDG_DATA_HOME: join(place, 'data'),
  XDG_CONFIG_HOME: join(place, 'config'),
  XDG_CACHE_HOME: join(place, 'cache'),
  R3MES_HOME: home,
  TAURI_WEBVIEW_AUTOMATION: 'true',
  // Answers that last: the plainest kernels.
  R3MES_ISA: process.env.R3MES_ISA ?? 'scalar',
}

/** Reads again until it is good, and answers what was read. */
export async function until(what, read, good = Boolean) {
  const deadline = Date.now() + PATIENCE
  let seen
  do {
    seen = await read()
    if (good(seen)) return seen
    await new Promise((again) => setTimeout(again, 40))
  } while (Date.now() < deadline)
  assert.fail(`${what}: still ${JSON.stringify(seen)}`)
}

async function freePort() {
  const server = createServer()
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

/** A process whose first thread has ended may still be ending the others. */
function alive(pid) {
  try {
    const ended = /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return !ended || readdirSync(`/proc/${pid}/task`).length > 1
  } catch {
    return false
  }
}

/** The running program with our data folder; whoever started it. */
function running() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/exe`) !== realpathSync(program)) return false
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`R3MES_HOME=${home}`)
      } catch {
        return false
      }
    })
}

/** One start of the program. */
export class App {
  #base
  #driver
  pid

  static async start(settings) {
    assert.ok(existsSync(program), `no program at ${program}: build it first`)
    if (settings) writeSettings(settings)
    const app = new App()
    const port = await freePort()
    app.#driver = spawn('WebKitWebDriver', [`--port=${port}`], { env, stdio: ['ignore', 'inherit', 'inherit'] })
    const gone = new Promise((_, failed) => app.#driver.once('error', failed))
    app.#base = `http://127.0.0.1:${port}`
    await Promise.race([until('WebKitWebDriver', () => fetch(`${app.#base}/status`).then((r) => r.ok, () => false)), gone])
    const { sessionId } = await app.#ask('POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary: program, args: [] } } },
    })
    app.#base += `/session/${sessionId}`
    ;[app.pid] = running()
    assert.ok(app.pid, 'the program is not among the processes')
    await until('the window', () => app.run('return document.getElementById("boot") === null && document.querySelector("main") !== null'))
    return app
  }

  async #ask(method, path, body, patience = PATIENCE) {
    const signal = AbortSignal.timeout(patience)
    const response = await fetch(this.#base + path, { method, body: body && JSON.stringify(body), signal })
    const { value } = await response.json()
    if (response.ok) return value
    throw Object.assign(new Error(`${value.error}: ${value.message}`), { code: value.error })
  }

  /** Runs a function body in the page. */
  run(body, ...args) {
    return this.#ask('POST', '/execute/sync', { script: body, args })
  }

  /** The elements a person would call by this role and name; the last is the nearest to the end of a chat. */
  #find(role, name, within) {
    return this.run(
      `const [role, name, within] = arguments
       const tags = { button: 'button', textbox: 'textarea, input', heading: 'h1, h2', article: 'article', group: '[role=group]' }
       const scope = within ? document.querySelector(within) : document
       const named = (element) =>
         (element.getAttribute('aria-label') ?? element.textContent).replace(/\\s+/g, ' ').trim()
       return [...(scope?.querySelectorAll(tags[role]) ?? [])].filter((element) => named(element) === name)`,
      role,
      name,
      within ?? null,
    )
  }

  async find(role, name, { within, last = false } = {}) {
    const found = await until(`${role} “${name}”`, () => this.#find(role, name, within), (list) => list.length > 0)
    return Object.values(last ? found.at(-1) : found[0])[0]
  }

  async has(role, name, within) {
    return (await this.#find(role, name, within)).length > 0
  }

  /** Clicks as soon as it can be clicked. */
  async click(role, name, where) {
    await until(`a click on “${name}”`, async () => {
      const element = await this.find(role, name, where)
      if (await this.run('return arguments[0].disabled === true', { [ELEMENT]: element })) return false
      try {
        await this.#ask('POST', `/element/${element}/click`, {})
        return true
      } catch (error) {
        if (AGAIN.includes(error.code)) return false
        throw error
      }
    })
  }

  async type(role, name, text) {
    await this.#ask('POST', `/element/${await this.find(role, name)}/value`, { text })
  }

  text() {
    return this.run('return document.body.innerText')
  }

  async says(text) {
    await until(`“${text}” on the screen`, () => this.text(), (all) => all.includes(text))
  }

  /** The words of each answer shown, without what stands below them. */
  answers() {
    return this.run(
      `return [...document.querySelectorAll('main article[aria-label="Answer"]')].map(
         (answer) => answer.querySelector('.markdown')?.innerText ?? '')`,
    )
  }

  async lastAnswer() {
    return (await this.answers()).at(-1) ?? ''
  }

  running() {
    return this.has('button', 'Stop')
  }

  async ask(question) {
    await this.type('textbox', 'Message', question)
    await this.click('button', 'Send')
    await until('the question', () => this.text(), (all) => all.includes(question))
  }

  /** Waits until no answer is made. */
  async answered() {
    await until('the end of the answer', async () => !(await this.running()) && (await this.has('button', 'Send')))
  }

  /** Keeps a picture of the window for people to look at. WebKit sometimes waits forever for a frame to draw: then there is none. */
  async picture(name) {
    try {
      const picture = await this.#ask('GET', '/screenshot', undefined, 5_000)
      writeFileSync(join(pictures, `${name}.png`), Buffer.from(picture, 'base64'))
    } catch (error) {
      if (error.name !== 'TimeoutError') throw error
      console.log(`no picture ${name}: ${error.message}`)
    }
  }

  windows() {
    return this.#ask('GET', '/window/handles')
  }

  /** Closes the window as a person does, and waits for the program to end by itself. */
  async quit() {
    await this.#ask('DELETE', '/window').catch(() => {})
    await until('the end of the program', () => !alive(this.pid))
    this.#driver.kill()
  }

  /** What happens when the power goes. */
  async kill() {
    process.kill(this.pid, 'SIGKILL')
    await until('the end of the program', () => !alive(this.pid))
    this.#driver.kill()
  }

  /** After a test, however it went. */
  async clear() {
    if (this.pid && alive(this.pid)) process.kill(this.pid, 'SIGKILL')
    this.#driver?.kill()
  }
}

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
/** What passes by itself: something moved, was drawn anew or is not there yet. */
const AGAIN = ['element click intercepted', 'element not interactable', 'stale element reference', 'no such element']

/** Starts the program a second time, without a driver, and answers how it ended. */
export function startAgain() {
  const { TAURI_WEBVIEW_AUTOMATION: _, ...usual } = env
  const second = spawn(program, [], { env: usual, stdio: 'inherit', timeout: PATIENCE })
  return new Promise((ended, failed) => {
    second.once('error', failed)
    second.once('exit', (code, signal) => ended(code ?? signal))
  })
}

export function writeSettings(settings) {
  mkdirSync(home, { recursive: true })
  const path = join(home, 'settings.json')
  const known = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  writeFileSync(path, JSON.stringify({ ...known, ...settings }))
}

/** A model of random weights, made by the command line that was built beside the program; it knows nothing and has no token to end with. */
export function randomModel() {
  const folder = join(place, 'random model')
  const made = spawnSync(join(target, 'debug', 'r3mes'), ['debug', 'synth', '--shape', 'tiny', '--seed', '1', '--out', folder])
  assert.equal(made.status, 0, `no model: ${made.error ?? made.stderr}`)
  for (const name of ['config.json', 'generation_config.json', 'tokenizer_config.json']) {
    const path = join(folder, name)
    const { eos_token_id: _, eos_token: __, chat_template, ...others } = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...others, chat_template: chat_template?.replace('<|eot_id|>', '\n') }))
  }
  return folder
}

export { pictures }
