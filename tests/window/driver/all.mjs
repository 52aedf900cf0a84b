// A life with the program: first start, asking, stopping, coming back, losing power, starting it twice.
// `xvfb-run -a -s '-screen 0 1280x900x24' dbus-run-session -- node tests/window/driver/all.mjs`

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { App, home, pictures, startAgain, until } from './app.mjs'

/** The built-in model is quick and brief. So it takes its time and finds no end: one thread, the plainest kernels, hot sampling. */
process.env.R3MES_ISA ??= 'scalar'
const LONG_WINDED = { threads: 1, max_tokens: 4000, sampling: { temperature: 2, top_p: 1, top_k: 0, min_p: 0 } }
/** Even so an answer may end before anybody can interrupt it; then it is asked again. */
const TRIES = 12

const QUESTION = 'What is the capital of Turkey?'
let app
let first
let second

after(async () => {
  await app?.clear()
  console.log(`pictures of each step: ${pictures}`)
})

/** Makes answers until one could be interrupted in the middle, and answers the words that were seen of it. */
async function interrupted(interrupt) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    await until('the first words', async () => (await app.lastAnswer()).length > 0 || !(await app.running()))
    // A few hundred letters: by then a part of it has been stored.
    const seen = await until(
      'more words',
      async () => ((await app.running()) ? await app.lastAnswer() : null),
      (text) => text === null || text.length > 600,
    )
    if (seen !== null && (await interrupt())) return seen
    await app.answered()
    await app.click('button', 'Answer again', { last: true })
  }
  assert.fail(`${TRIES} answers ended before they could be interrupted`)
}

test('the first start introduces itself and leads to a chat', async () => {
  app = await App.start()
  await app.find('heading', 'Welcome')
  await app.picture('01-welcome')
  await app.click('button', 'Continue')
  await app.find('heading', 'This computer')
  await until('what was found', () => app.text(), (text) => /of memory, .* free now/.test(text))
  await app.picture('02-computer')
  await app.click('button', 'Continue')
  await app.find('heading', 'A model')
  await app.says('Part of the program')
  await app.picture('03-model')
  await app.click('button', 'Continue')
  await app.find('heading', 'What leaves this computer')
  await app.picture('04-private')
  await app.click('button', 'Start chatting')
  await app.find('heading', 'What would you like to know?')
  await app.picture('05-new-chat')
  assert.ok(existsSync(home), 'the data folder is not where R3MES_HOME says')
})

test('a question is answered by the built-in model, offline, with its speed below', async () => {
  await app.ask(QUESTION)
  await app.answered()
  first = await app.lastAnswer()
  assert.match(first, /\p{L}/u)
  await until('the speed', () => app.text(), (text) => /\d tokens?\b/.test(text) && text.includes('builtin'))
  await app.find('button', `${QUESTION}, Rename`)
  await app.picture('06-answered')
})

test('another answer stands beside the first, and both can be read', async () => {
  await app.click('button', 'Answer again', { last: true })
  await app.find('group', 'Version 2 of 2')
  await app.answered()
  second = await app.lastAnswer()
  await app.picture('07-second-answer')
  await app.click('button', 'Previous version')
  await app.find('group', 'Version 1 of 2')
  assert.equal(await app.lastAnswer(), first)
})

test('after quitting, everything is there again: the conversation, both answers, the branch, a draft', async () => {
  await app.type('textbox', 'Message', 'And of Şanlıurfa')
  await app.quit()
  app = await App.start(LONG_WINDED)
  await app.click('button', QUESTION, { within: 'aside' })
  await app.find('group', 'Version 1 of 2')
  await until('the first answer', () => app.lastAnswer(), (text) => text === first)
  await until('the draft', () => app.run('return document.querySelector("main textarea").value'), (text) => text === 'And of Şanlıurfa')
  await app.picture('08-back-again')
  await app.click('button', 'Next version')
  await app.find('group', 'Version 2 of 2')
  await until('the second answer', () => app.lastAnswer(), (text) => text === second)
})

test('words arrive one by one, and Stop ends them at once', async () => {
  await app.run('document.querySelector("main textarea").select()')
  await app.ask('Tell me a long story about the sea.')
  let grew = 0
  const seen = await interrupted(async () => {
    const before = (await app.lastAnswer()).length
    await until('growth', async () => (await app.lastAnswer()).length > before || !(await app.running()))
    if (!(await app.running())) return false
    grew += 1
    await app.picture('09-words-arrive')
    await app.click('button', 'Stop')
    await app.answered()
    return (await app.text()).includes('Stopped by you.')
  })
  assert.ok(grew > 0)
  assert.ok((await app.lastAnswer()).startsWith(seen.slice(0, 200)))
  await app.picture('10-stopped')
})

test('kill -9 in the middle of an answer loses no more than its last words', async () => {
  await app.ask('And another one about the mountains.')
  const seen = await interrupted(async () => {
    if (!(await app.running())) return false
    await app.picture('11-before-the-end')
    await app.kill()
    return true
  })
  app = await App.start()
  await app.click('button', QUESTION, { within: 'aside' })
  await app.says('The program ended before this answer was finished.')
  const kept = await app.lastAnswer()
  assert.ok(kept.length > 0, 'nothing of the answer was kept')
  const [start, startKept] = [seen, kept].map((text) => text.replace(/\s+/g, ' ').slice(0, 100))
  assert.equal(startKept, start)
  await app.says('And another one about the mountains.')
  await app.picture('12-after-the-end')
})

test('a second start shows the window that is there, and ends', async () => {
  const code = await startAgain()
  assert.equal(code, 0)
  assert.equal((await app.windows()).length, 1)
  assert.ok(await app.has('textbox', 'Message'))
})

test('the data folder, spaces and Turkish letters and all, holds what was made', async () => {
  for (const name of ['settings.json']) assert.ok(existsSync(join(home, name)), `${name} is not in ${home}`)
  await app.quit()
})
