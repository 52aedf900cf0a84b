// Asking, stopping, asking again; what an answer may hold; what is never lost.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answered, ask, choose, inWindow, openChat, parts, until } from './support.mjs'

test('a first question opens a conversation, is answered word by word and names it', () =>
  inWindow({}, async (page) => {
    const { answers, questions, stop, list } = parts(page)
    await page.getByRole('heading', { level: 1, name: 'What would you like to know?' }).waitFor()
    await ask(page, 'How long is a lease?')
    await stop.waitFor()
    await until('the question', () => questions.allInnerTexts(), (texts) => texts.join().includes('How long is a lease?'))
    const early = await until('the answer', () => answers.innerText(), (text) => text.trim().length > 0)
    await answered(page)
    assert.ok((await answers.innerText()).length > early.length, 'the answer came all at once')
    await answers.getByRole('button', { name: /tokens\/s/ }).waitFor()
    await page.getByRole('heading', { level: 1, name: 'How long is a lease?' }).waitFor()
    await list.getByRole('button', { name: 'How long is a lease?', exact: true }).waitFor()
  }))

test('an example question is asked with one click', () =>
  inWindow({}, async (page) => {
    await page.getByRole('list', { name: 'Example questions' }).getByRole('button').first().click()
    await until('the answer', () => parts(page).answers.allInnerTexts(), (texts) => texts.join().trim() !== '')
  }))

test('a stopped answer keeps its words, another one stands beside it', () =>
  inWindow({}, async (page) => {
    const { answers, stop, send, version } = parts(page)
    await ask(page, '/long Why?')
    const body = answers.locator('.markdown')
    await until('the answer', () => body.allInnerTexts(), (texts) => texts.join().length > 20)
    await stop.click()
    await send.waitFor()
    await answers.getByText('Stopped by you.').waitFor()
    const first = await body.innerText()
    assert.ok(first.length > 20)

    await answers.getByRole('button', { name: 'Answer again', exact: true }).click()
    await until('the other answer', () => body.allInnerTexts(), (texts) => texts.join().length > 20 && texts[0] !== first)
    await page.keyboard.press('Escape')
    await version(answers, 2, 2).waitFor()
    await answers.getByRole('button', { name: 'Previous version' }).click()
    await version(answers, 1, 2).waitFor()
    assert.equal(await body.innerText(), first)
    assert.ok(await answers.getByRole('button', { name: 'Previous version' }).isDisabled())
    await answers.getByRole('button', { name: 'Next version' }).click()
    await version(answers, 2, 2).waitFor()
  }))

test('an edited question becomes a version of its own, with what followed each', () =>
  inWindow({}, async (page) => {
    const { questions, answers, version } = parts(page)
    await openChat(page, 'Mean or median?')
    const before = await answers.allInnerTexts()
    await questions.first().hover()
    await questions.first().getByRole('button', { name: 'Edit' }).click()
    const field = page.getByRole('textbox', { name: 'Edit your message' })
    await field.fill('Mean or mode?')
    await field.press('Enter')
    await version(questions.first(), 2, 2).waitFor()
    await answered(page)
    assert.equal(await questions.count(), 1)
    await questions.first().getByRole('button', { name: 'Previous version' }).click()
    await version(questions.first(), 1, 2).waitFor()
    await until('the old branch', () => answers.count(), before.length)
  }))

test('every branch of a conversation is within reach, with how each answer ended', () =>
  inWindow({}, async (page) => {
    const { questions, answers, version } = parts(page)
    await openChat(page, 'Mean and median, with branches')
    await version(answers.first(), 2, 2).waitFor()
    const last = questions.nth(1)
    await version(last, 3, 3).waitFor()
    await last.getByRole('button', { name: 'Previous version' }).click()
    await version(last, 2, 3).waitFor()
    const failed = answers.last().getByRole('alert')
    await failed.getByText('needs 3.1 GB, 2.4 GB free').waitFor()
    await failed.getByRole('button', { name: 'Try again' }).waitFor()
    await last.getByRole('button', { name: 'Previous version' }).click()
    await answers.last().getByText('Stopped by you.').waitFor()
  }))

test('an answer that breaks off says why and is made again on request', () =>
  inWindow({}, async (page) => {
    const { answers, version } = parts(page)
    await ask(page, '/fail now')
    const alert = answers.getByRole('alert')
    await alert.getByText('The answer broke off', { exact: true }).waitFor()
    await alert.getByText('choose a smaller cache in Settings').waitFor()
    await alert.getByRole('button', { name: 'Try again' }).click()
    await version(answers, 2, 2).waitFor()
  }))

test('a question that cannot be stored stays in the field', () =>
  inWindow({}, async (page) => {
    const { composer } = parts(page)
    await ask(page, '/refuse this')
    await page.getByRole('alert').getByText('Your message was not sent').waitFor()
    await until('the field', () => composer.inputValue(), '/refuse this')
  }))

test('deleting from a message on can be undone', () =>
  inWindow({}, async (page) => {
    const { questions, answers, notices } = parts(page)
    await openChat(page, 'Glucose tolerance test')
    await until('the messages', () => answers.count(), 2)
    await questions.nth(1).hover()
    await choose(page, questions.nth(1).getByRole('button', { name: 'More' }), 'Delete from here on')
    await until('the answers left', () => answers.count(), 1)
    await notices.getByText('2 messages deleted').waitFor()
    await notices.getByRole('button', { name: 'Undo' }).click()
    await until('the answers back', () => answers.count(), 2)
  }))

test('a draft waits in its conversation', () =>
  inWindow({}, async (page) => {
    const { composer } = parts(page)
    await openChat(page, 'Mean or median?')
    await composer.fill('half a thought')
    await openChat(page, 'Glucose tolerance test')
    await until('the other field', () => composer.inputValue(), '')
    await openChat(page, 'Mean or median?')
    await until('the field', () => composer.inputValue(), 'half a thought')
  }))

test('code, tables and mathematics are drawn; code is copied as it is', () =>
  inWindow({}, async (page) => {
    const { answers } = parts(page)
    await openChat(page, 'Count the words of a file')
    const code = answers.first().locator('pre')
    await code.getByText('most_common_words').first().waitFor()
    assert.ok((await code.locator('[class^="hljs-"]').count()) > 3, 'the code has no colours')
    await answers.first().locator('.code').getByRole('button').click()
    const copied = await until('the clipboard', () => page.evaluate(() => navigator.clipboard.readText()), Boolean)
    assert.match(copied, /^from collections import Counter\n/)
    await openChat(page, 'Mean and median, with branches')
    await until('formulas and tables', () => answers.locator('.katex, table').count(), (count) => count >= 1)
  }))

test('hostile text in an answer stays text', () =>
  inWindow({}, async (page) => {
    const { answers } = parts(page)
    await ask(page, '/xss please')
    await answered(page)
    assert.equal(await page.evaluate(() => window.__owned), undefined)
    assert.equal(await answers.locator('script, iframe, img, object, embed, form, style').count(), 0)
    const links = await answers.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
    assert.deepEqual(links.filter((href) => !/^https?:|^mailto:/.test(href)), [])
    // A link is opened by the system's own browser, never in this window.
    const before = page.url()
    await answers.getByRole('link', { name: 'a plain one' }).click()
    assert.equal(page.url(), before)
    assert.equal(page.context().pages().length, 1)
  }))

test('a conversation of 2,000 messages opens at its end, with a few of them in the page', (t) =>
  inWindow({}, async (page) => {
    const { main } = parts(page)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('A year of questions')
    const found = page.getByRole('option', { name: 'A year of questions' }).first()
    await found.waitFor()
    const clicked = Date.now()
    await found.click()
    await main.locator('[data-message="l-a1000"]').waitFor()
    t.diagnostic(`open after ${Date.now() - clicked} ms`)
    const drawn = () => main.locator('[data-message]').count()
    assert.ok((await drawn()) < 60, `${await drawn()} messages are in the page`)
    const list = main.getByRole('list', { name: 'Messages' })
    await list.focus()
    await page.keyboard.press('Home')
    await main.locator('[data-message="l-q1"]').waitFor()
    assert.ok((await drawn()) < 60, `${await drawn()} messages are in the page`)
    assert.equal(await main.locator('[role="listitem"]').first().getAttribute('aria-setsize'), '2000')
  }))
