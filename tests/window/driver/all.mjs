// A life with the program: first start, asking, stopping, coming back, losing power, starting it twice.
// `xvfb-run -a -s '-screen 0 1280x900x24' dbus-run-session -- node tests/window/driver/all.mjs`

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { App, home, pictures, randomModel, startAgain, until } from './app.mjs'

/** The built-in model is quick and brief. A random one on one thread talks for some seconds. */
const LONG_WINDED = { threads: 1, max_tokens: 4000, active_model: randomModel(), sampling: { temperature: 2, top_k: 0 } }

const QUESTION = 'What is the capital of Turkey?'
let app
let first
let second

after(async () => {
  await app?.clear()
  console.log(`pictures of each step: ${pictures}`)
})

/** The answer when a few hundred letters of it are there: by then a part of it has been stored. */
async function halfAnAnswer() {
  const seen = await until('half an answer', () => app.lastAnswer(), (text) => text.length > 600)
  assert.ok(await app.running(), 'the answer ended too early to be interrupted')
  return seen
}

/** Held until the text ends. */
const CONTROL = '\uE009'

/** Letters and digits: signs of a random text may turn out to be Markdown when more of it is there. */
const beginning = (text) => text.replace(/[^\p{L}\p{N}]/gu, '').slice(0, 100)

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
  const some = await until('the first words', () => app.lastAnswer())
  const seen = await halfAnAnswer()
  assert.ok(seen.length > some.length)
  await app.picture('09-words-arrive')
  await app.click('button', 'Stop')
  await app.answered()
  await app.says('Stopped by you.')
  assert.equal(beginning(await app.lastAnswer()), beginning(seen))
  await app.picture('10-stopped')
})

test('kill -9 in the middle of an answer loses no more than its last words', async () => {
  // In a conversation of its own: what was said so far would nearly fill the small model's context.
  await app.type('textbox', 'Message', `${CONTROL}n`)
  await app.find('heading', 'What would you like to know?')
  await app.ask('What are mountains?')
  const seen = await halfAnAnswer()
  await app.picture('11-before-the-end')
  await app.kill()
  app = await App.start()
  await app.click('button', 'What are mountains?', { within: 'aside' })
  await app.says('The program ended before this answer was finished.')
  const kept = await app.lastAnswer()
  assert.ok(kept.length > 0, 'nothing of the answer was kept')
  assert.equal(beginning(kept), beginning(seen))
  await app.says('What are mountains?')
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
