// Who answers and why; choosing somebody; the page of experts; trying the router and teaching it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answered, ask, choose, go, inWindow, openChat, parts, until } from './support.mjs'

const chip = (page, who) => page.getByRole('main').getByRole('button', { name: new RegExp(`^Who answered: ${who}`) })
const inspector = (page) => page.getByRole('complementary', { name: 'Details of the answer' })
const row = (page, id) => page.locator(`[data-expert="${id}"]`)
const asked = (page, name) =>
  page.evaluate((wanted) => window.fakeBackend.calls.filter(([one]) => one === wanted), name)

test('who answers is said before the first word', () =>
  inWindow({}, async (page) => {
    await ask(page, '/slow What is diabetes?')
    await chip(page, 'Medical').waitFor()
    assert.equal(await parts(page).answers.locator('.markdown').count(), 0)
    await parts(page).stop.click()
  }))

test('the chip opens the reasons: scores, words, examples, memory and times', () =>
  inWindow({ width: 1600, height: 1000 }, async (page) => {
    await openChat(page, 'Notice period in a commercial lease')
    const first = chip(page, 'Legal').first()
    await first.click()
    const panel = inspector(page)
    await panel.getByText('The words of the question and its meaning together point to Legal.').waitFor()
    await panel.getByRole('meter', { name: 'Legal, Together' }).waitFor()
    assert.deepEqual(await panel.locator('mark').allInnerTexts(), ['Notice', 'lease'])
    await panel.getByText('When does a fixed-term lease end?').waitFor()
    await panel.getByText('Legal takes 66.2 MB in memory; it was there already.').waitFor()
    await panel.getByRole('row', { name: /Writing/ }).waitFor()
    await panel.getByRole('tab', { name: 'Numbers' }).click()
    await panel.getByText('Time to first token').waitFor()
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
    await until('the focus', () => first.evaluate((node) => node === document.activeElement), true)
    await page.keyboard.press('Control+i')
    await panel.waitFor()
    await page.keyboard.press('Control+i')
    await panel.waitFor({ state: 'detached' })
  }))

test('an expert that stays says so, with the numbers', () =>
  inWindow({}, async (page) => {
    await openChat(page, 'Notice period in a commercial lease')
    const kept = page.getByRole('main').locator('[data-chip]').last()
    assert.match(await kept.innerText(), /Kept: Legal/)
    await kept.hover()
    await page
      .getByText(/^Legal has 0\.\d+, \w+ would have 0\.\d+\.$/)
      .first()
      .waitFor()
  }))

test('an expert that is not there is said plainly, and the base model answers', () =>
  inWindow({}, async (page) => {
    await ask(page, 'What is photosynthesis?')
    await chip(page, 'Base model').waitFor()
    await page.getByText('Science is not installed – the base model answered.').waitFor()
  }))

test('another expert gives another answer beside the first', () =>
  inWindow({}, async (page) => {
    const { answers, version } = parts(page)
    await ask(page, 'What is diabetes?')
    await answered(page)
    await choose(page, answers.getByRole('button', { name: 'Answer again with…' }), 'Legal')
    await version(answers, 2, 2).waitFor()
    await chip(page, 'Legal').waitFor()
    await answered(page)
    await answers.getByRole('button', { name: 'Previous version' }).click()
    await chip(page, 'Medical').waitFor()
  }))

test('@ offers experts, and the one it names answers that message only', () =>
  inWindow({}, async (page) => {
    const { composer, questions, main } = parts(page)
    await composer.pressSequentially('@')
    const list = page.getByRole('listbox', { name: 'Experts to address' })
    await list.getByRole('option', { name: 'Medical' }).waitFor()
    await composer.press('Escape')
    await list.waitFor({ state: 'detached' })
    await composer.fill('')
    await composer.pressSequentially('@tı')
    await until(
      'those offered',
      () => list.getByRole('option').allInnerTexts(),
      (all) => all.join() === 'Medical',
    )
    await composer.press('Enter')
    await until('the field', () => composer.inputValue(), '@medical ')
    await composer.pressSequentially('is a lease in writing?')
    await main.getByRole('button', { name: 'For this message: @Medical' }).waitFor()
    await composer.press('Enter')
    await chip(page, 'Medical').waitFor()
    assert.equal((await questions.locator('.selectable').innerText()).trim(), 'is a lease in writing?')
    await main.getByRole('button', { name: 'Who answers: Auto' }).waitFor()
    await answered(page)
  }))

test('a chosen expert that is not installed is an error with a way out, never a silent base answer', () =>
  inWindow({}, async (page) => {
    const { answers } = parts(page)
    await ask(page, '@science What is diabetes?')
    const alert = answers.getByRole('alert')
    await alert.getByText('Expert “science_dora” is not installed.').waitFor()
    await alert.getByRole('button', { name: 'Answer again (Auto)' }).click()
    await chip(page, 'Medical').waitFor()
  }))

test('who answers can be chosen for a conversation, by keyboard, and stays chosen', () =>
  inWindow({}, async (page) => {
    const { main, composer } = parts(page)
    await openChat(page, 'Glucose tolerance test')
    await page.keyboard.press('Control+l')
    await page.getByRole('menuitemcheckbox', { name: 'Legal' }).click()
    await main.getByRole('button', { name: 'Who answers: Legal' }).waitFor()
    await until('the focus', () => composer.evaluate((node) => node === document.activeElement), true)
    await openChat(page, 'Mean or median?')
    await main.getByRole('button', { name: 'Who answers: Auto' }).waitFor()
    await openChat(page, 'Glucose tolerance test')
    await main.getByRole('button', { name: 'Who answers: Legal' }).waitFor()
    await ask(page, 'What is diabetes?')
    await chip(page, 'Legal').last().waitFor()
    await answered(page)
  }))

test('example questions say who would answer', () =>
  inWindow({}, async (page) => {
    const examples = page.getByRole('list', { name: 'Example questions' }).getByRole('button')
    await until(
      'the experts',
      () => examples.allInnerTexts(),
      (all) => ['Medical', 'Legal', 'Coding', 'Finance'].every((name, index) => all[index]?.includes(name)),
    )
  }))

test('a wrong expert is noted, the router learns from it, and both can be taken back', () =>
  inWindow({}, async (page) => {
    const { answers, notices, main } = parts(page)
    const wrong = async (name) => {
      await answers
        .last()
        .getByRole('button', { name: /^Wrong expert/ })
        .click()
      await page.getByRole('menuitemcheckbox', { name }).click()
    }
    await openChat(page, 'Glucose tolerance test')
    await wrong('Legal')
    await answers.last().getByRole('button', { name: 'Wrong expert: should have been Legal' }).waitFor()
    await notices.getByRole('button', { name: 'Undo' }).click()
    await answers.last().getByRole('button', { name: 'Wrong expert', exact: true }).waitFor()
    await wrong('Base model')

    await go(page, 'Experts')
    await main.getByRole('button', { name: 'Router' }).click()
    await main.getByText('One label').waitFor()
    await main.getByRole('button', { name: 'Fit again' }).click()
    await main.getByText('On your labels: 72% right before, 86% now.').waitFor()
    await main.getByRole('button', { name: 'Undo' }).click()
    await notices.getByText('The router is as it was before').waitFor()
  }))

test('experts are loaded, kept, unloaded and removed, and say what they are', () =>
  inWindow({}, async (page) => {
    const { main, notices } = parts(page)
    await go(page, 'Experts')
    await main.getByText('There is no graphics processor that could be used, so memory is the fastest place.').waitFor()
    await row(page, 'coding_dora').getByText('Does not beat the base model: perplexity 6.48, base 6.31').waitFor()
    await row(page, 'finance_dora')
      .getByText(/magnitude has 2048 values/)
      .waitFor()
    await row(page, 'science_dora').getByText('Not installed').waitFor()

    await main.getByRole('button', { name: 'Load: Coding' }).click()
    await row(page, 'coding_dora').getByText('In memory', { exact: true }).waitFor()
    await notices.getByText(/Coding is in memory after/).waitFor()
    await choose(page, main.getByRole('button', { name: 'More for Coding' }), 'Keep in memory')
    await row(page, 'coding_dora').getByText('Stays in memory').waitFor()
    await choose(page, main.getByRole('button', { name: 'More for Coding' }), 'Unload')
    await row(page, 'coding_dora').getByText('On disk', { exact: true }).waitFor()
    await choose(page, main.getByRole('button', { name: 'More for Coding' }), 'Export…')
    await notices.getByText('Saved as /home/ayşe/Belgeler/coding_dora.r3mes-expert').waitFor()
    await choose(page, main.getByRole('button', { name: 'More for Coding' }), 'Remove…')
    await page.getByRole('dialog').getByRole('button', { name: 'Remove and free 61.4 MB' }).click()
    await notices.getByText('Coding was removed, 61.4 MB freed').waitFor()
    await row(page, 'coding_dora').getByText('Not installed').waitFor()

    await main.getByRole('button', { name: 'Warm up' }).click()
    await notices.getByText(/The model and \d experts are ready/).waitFor()
  }))

test('files dropped on the page become experts; one that is none says why and stops no other', () =>
  inWindow({}, async (page) => {
    const { main, notices } = parts(page)
    await go(page, 'Experts')
    await main.getByRole('heading', { name: 'Your own' }).waitFor()
    const drag = (type, paths) => page.evaluate(([a, b]) => window.fakeBackend.drag(a, b), [type, paths])
    await drag('over', [])
    await page.getByText('Let go to add').waitFor()
    await drag('drop', ['/home/ayşe/broken.r3mes-expert', '/home/ayşe/rocks.r3mes-expert'])
    await notices.getByText('rocks was added').waitFor()
    await main.getByText('broken.r3mes-expert was not added.').waitFor()
    await row(page, 'rocks').getByText('On disk', { exact: true }).waitFor()
    assert.equal(await page.getByText('Let go to add').count(), 0)
    await choose(page, main.getByRole('button', { name: 'Add… Science' }), 'Choose folder…')
    await row(page, 'science_dora').getByText('On disk', { exact: true }).waitFor()
    await main.getByRole('button', { name: 'Choose folder…' }).click()
    await until(
      'what was added',
      () => asked(page, 'importExpert'),
      (calls) => calls.length === 4,
    )
  }))

test('the router shows its scores while a question is typed, and its weights can be moved and put back', () =>
  inWindow({}, async (page) => {
    const { main } = parts(page)
    await go(page, 'Experts')
    await main.getByRole('button', { name: 'Router' }).click()
    const field = main.getByRole('textbox', { name: 'Try a question' })
    await field.fill('What is a contract?')
    await main.getByText('The words of the question and its meaning together point to Legal.').waitFor()
    const together = main.getByRole('meter', { name: 'Legal, Together' })
    const before = await together.getAttribute('aria-valuetext')
    const weight = main.getByRole('textbox', { name: 'Weight of the words' })
    await weight.fill('1')
    await weight.press('Enter')
    await until(
      'the score',
      () => together.getAttribute('aria-valuetext'),
      (text) => text !== before,
    )
    await main.getByRole('button', { name: 'Back to the defaults' }).click()
    await until('the score', () => together.getAttribute('aria-valuetext'), before)
    await field.fill('')
    await main.getByText('Type a question to see how it would be routed.').waitFor()

    await main.getByRole('button', { name: 'Choose file…' }).click()
    await main.getByText('52 of 60 go where they should, macro-F1 0.861, 170 µs a question').waitFor()
    const table = main.getByRole('table', { name: /Where questions went/ })
    assert.match(await table.getByRole('row', { name: /^Finance/ }).innerText(), /0\s+3\s+0\s+9\s+0/)
  }))

test('in Turkish the experts and their reasons are Turkish', () =>
  inWindow({ locale: 'tr-TR', width: 1600, height: 1000 }, async (page) => {
    const main = page.getByRole('main')
    await main.getByRole('textbox', { name: 'İleti' }).fill('Diyabet nedir?')
    await main.getByRole('button', { name: 'Gönder' }).click()
    await main.getByRole('button', { name: /^Yanıtı veren: Tıp/ }).click()
    await page
      .getByText(/Tıp uzmanını gösteriyor|Tıp için yeterince açıktı/)
      .first()
      .waitFor()
    const words = [await page.locator('body').innerText()]
    await page.keyboard.press('Control+2')
    await main.getByRole('heading', { level: 1, name: 'Uzmanlar' }).waitFor()
    await main.getByText('Temel modeli geçemiyor: perpleksite 6,48, temel model 6,31').waitFor()
    words.push(await page.locator('body').innerText())
    await main.getByRole('button', { name: 'Yönlendirici' }).click()
    await main.getByText('Ağırlıklar ve eşikler').waitFor()
    words.push(await page.locator('body').innerText())
    assert.doesNotMatch(words.join(), /\b(?:why|experts|router)\.[a-z]/, 'a key stands where words should be')
  }))
