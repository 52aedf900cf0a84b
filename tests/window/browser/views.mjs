// Every view: no serious finding of axe in either theme, and no sideways scrolling in a small window or with large text.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { go, inWindow, openChat, parts, until } from './support.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const section = (name) => async (page) => {
  await page.keyboard.press('Control+5')
  await page.getByRole('navigation', { name: 'Parts of the settings' }).getByRole('button', { name }).click()
}

/** Each leaves the window in its view, from whichever view it was in. */
const VIEWS = {
  'a new chat': async (page) => {
    await page.keyboard.press('Control+n')
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor()
  },
  'a chat with code': (page) => openWith(page, 'Count the words of a file', 'pre'),
  'a chat with branches and an error': async (page) => {
    await openWith(page, 'Mean and median, with branches', 'article')
    const alert = page.getByRole('main').getByRole('alert')
    // The chat opens at its end; in a small window the question with the versions lies above, and is not in the page yet.
    const { x, y, width, height } = await page.getByRole('main').boundingBox()
    await page.mouse.move(x + width / 2, y + height / 3)
    await until('the answer that failed', async () => {
      for (const question of await parts(page).questions.all()) {
        if (await parts(page).version(question, 3, 3).isVisible()) {
          await question.getByRole('button', { name: 'Previous version' }).click()
        }
      }
      if (await alert.isVisible()) return true
      await page.mouse.wheel(0, -120)
      return false
    }, true)
  },
  'the reasons of an answer': async (page) => {
    await openWith(page, 'Glucose tolerance test', '[data-chip]')
    await page.keyboard.press('Control+i')
    await page.getByRole('complementary', { name: 'Details of the answer' }).getByText('Scores').waitFor()
  },
  experts: async (page) => {
    await page.keyboard.press('Control+2')
    await page.getByText('Does not beat the base model').waitFor()
  },
  'the router': async (page) => {
    await page.keyboard.press('Control+2')
    await page.getByRole('main').getByRole('button', { name: 'Router' }).click()
    await page.getByRole('textbox', { name: 'Try a question' }).fill('What is a contract in Python?')
    await page.getByText('Would be asked').waitFor()
    await page.getByRole('button', { name: 'Choose file…' }).click()
    await page.getByRole('table').waitFor()
  },
  models: (page) => page.keyboard.press('Control+3').then(() => page.getByText('BitNet b1.58 2B 4T').waitFor()),
  hardware: (page) => page.keyboard.press('Control+4').then(() => page.getByText('AMD Ryzen 7 7840U').first().waitFor()),
  'settings: appearance': section('Appearance'),
  'settings: answers': section('Answers'),
  'settings: keyboard': section('Keyboard'),
  'settings: privacy': section('Privacy and data'),
  'settings: about': section('About'),
}

async function openWith(page, title, selector) {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(title)
  await page.getByRole('option', { name: title }).first().click()
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
  await page.getByRole('main').locator(selector).first().waitFor()
}

/** What lies above a view, opened and closed again. */
const ABOVE = {
  'the search': ['Control+k', () => 'dialog'],
  'the sheet of shortcuts': ['Control+/', () => 'dialog'],
  'the presets': ['Control+j', () => 'dialog'],
}

async function findings(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} (${any[0]?.message ?? ''})`),
      )
  })
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious in any view, ${colorScheme}`, () =>
    inWindow({ colorScheme }, async (page) => {
      const found = {}
      const look = async (name) => {
        const list = await findings(page)
        if (list.length) found[name] = list
      }
      for (const [name, show] of Object.entries(VIEWS)) {
        await show(page)
        await look(name)
      }
      await VIEWS['a new chat'](page)
      for (const [name, [keys, role]] of Object.entries(ABOVE)) {
        await page.keyboard.press(keys)
        await page.getByRole(role()).first().waitFor()
        await look(name)
        await page.keyboard.press('Escape')
        await page.getByRole(role()).first().waitFor({ state: 'detached' })
      }
      assert.deepEqual(found, {})
    }))

  test(`axe finds nothing serious in the introduction, ${colorScheme}`, () =>
    inWindow({ colorScheme, fresh: true }, async (page) => {
      const found = {}
      for (const name of ['Welcome', 'This computer', 'A model', 'What leaves this computer']) {
        await page.getByRole('heading', { level: 1, name }).waitFor()
        const list = await findings(page)
        if (list.length) found[name] = list
        if (name !== 'What leaves this computer') await page.getByRole('button', { name: 'Continue' }).click()
      }
      assert.deepEqual(found, {})
    }))
}

/** What is wider than its place, or stands outside the window. */
const tooWide = (page) =>
  page.evaluate(() => {
    const wide = []
    const name = (element) => `${element.tagName.toLowerCase()} ${element.className} ${element.textContent.trim().slice(0, 40)}`
    if (document.documentElement.scrollWidth > innerWidth) wide.push(`the page: ${document.documentElement.scrollWidth} of ${innerWidth}`)
    for (const element of document.querySelectorAll('main, main *')) {
      const { overflowX } = getComputedStyle(element)
      // Code, tables and formulas scroll in a frame of their own.
      if (element.closest('.markdown')) continue
      if (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth + 1)
        wide.push(`${name(element)}: ${element.scrollWidth} of ${element.clientWidth}`)
    }
    for (const control of document.querySelectorAll('button, input, textarea, a')) {
      const { left, right, width } = control.getBoundingClientRect()
      if (width > 1 && (left < -1 || right > innerWidth + 1)) wide.push(`outside: ${name(control)}`)
    }
    return wide
  })

const SIZES = [
  { name: '1024×640', width: 1024, height: 640 },
  { name: '1600×1000', width: 1600, height: 1000 },
  { name: '1024×640 with text twice as large', width: 1024, height: 640, larger: true },
  { name: 'a window zoomed to 200 %', width: 640, height: 400 },
]

for (const { name: size, larger, ...options } of SIZES) {
  test(`no view scrolls sideways: ${size}`, () =>
    inWindow(options, async (page) => {
      if (larger) {
        const zoom = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--zoom').trim())
        await until('the text size', () => page.keyboard.press('Control++').then(zoom), '2')
      }
      const found = {}
      for (const [name, show] of Object.entries(VIEWS)) {
        await show(page)
        const wide = await tooWide(page)
        if (wide.length) found[name] = wide
      }
      assert.deepEqual(found, {})
    }))
}
