// What is around a chat: the list, search, shortcuts, models, settings, the first start, and all of it by keyboard alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answered, ask, choose, go, inWindow, openChat, parts, until } from './support.mjs'

test('a conversation is renamed, pinned and deleted, and deleting is undone', () =>
  inWindow({}, async (page) => {
    const { list, notices } = parts(page)
    const row = (title) => list.getByRole('button', { name: title, exact: true })
    const more = (title) => list.getByRole('button', { name: `More for “${title}”` })

    await row('Mean or median?').hover()
    await choose(page, more('Mean or median?'), 'Rename')
    const field = list.getByRole('textbox', { name: 'New name' })
    await field.fill('Ortalama mı, ortanca mı?')
    await field.press('Enter')
    await row('Ortalama mı, ortanca mı?').waitFor()

    await row('Ortalama mı, ortanca mı?').hover()
    await choose(page, more('Ortalama mı, ortanca mı?'), 'Pin')
    await until(
      'the pinned ones',
      async () => {
        // Which groups follow depends on the time of day: just after midnight nothing is of today.
        const [, pinned] = (await list.innerText()).split(/^(?:Pinned|Today|Yesterday|This week|Older)$/m)
        return pinned.includes('Ortalama')
      },
      true,
    )

    await openChat(page, 'Ortalama mı, ortanca mı?')
    await choose(page, more('Ortalama mı, ortanca mı?'), 'Delete')
    await row('Ortalama mı, ortanca mı?').waitFor({ state: 'detached' })
    await notices.getByRole('button', { name: 'Undo' }).click()
    await row('Ortalama mı, ortanca mı?').waitFor()
    await page.getByRole('heading', { level: 1, name: 'Ortalama mı, ortanca mı?' }).waitFor()
  }))

test('search finds words in messages, whatever their case in Turkish, and leads to them', () =>
  inWindow({}, async (page) => {
    const { main } = parts(page)
    await page.getByRole('button', { name: 'Search' }).click()
    const field = page.getByRole('combobox', { name: 'Search and commands' })
    await field.fill('IĞDIR')
    const hit = page.getByRole('option').filter({ hasText: 'Iğdır' }).first()
    await hit.waitFor()
    assert.equal((await hit.locator('mark').first().innerText()).toLocaleLowerCase('tr'), 'ığdır')
    await hit.click()
    await until('the message', () => main.locator('[data-message]').allInnerTexts(), (all) => all.join().includes('Iğdır'))

    await page.keyboard.press('Control+k')
    await field.fill('nothing has this in it')
    await page.getByText('Nothing found for “nothing has this in it”').waitFor()
    await page.getByRole('button', { name: 'Clear search' }).click()
    await field.fill('dark')
    await field.press('Enter')
    await until('the theme', () => page.locator('html').getAttribute('data-theme'), 'dark')
  }))

test('the sheet of shortcuts opens with its own shortcut and closes with Escape', () =>
  inWindow({}, async (page) => {
    await page.keyboard.press('Control+/')
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await sheet.getByText('Answer again').waitFor()
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
  }))

test('a download is begun, paused, resumed and cancelled, and is seen from everywhere', () =>
  inWindow({}, async (page) => {
    const { main, sidebar } = parts(page)
    await go(page, 'Models')
    const name = /^Download .*Falcon3 7B Instruct 1\.58bit$/
    await main.getByRole('button', { name }).click()
    const bar = main.getByRole('progressbar', { name: 'Download' })
    const share = async () => Number(await bar.getAttribute('aria-valuenow'))
    const early = await until('progress', share, (value) => value > 0)
    await main.getByRole('button', { name: 'Pause' }).click()
    await main.getByText('Paused').waitFor()
    const paused = await share()
    await main.getByRole('button', { name: 'Resume' }).click()
    await until('progress after a pause', share, (value) => value > Math.max(early, paused))
    await go(page, 'Hardware')
    await sidebar.getByRole('button', { name: /One job/ }).click()
    const tray = page.getByRole('dialog', { name: 'Running work' })
    await tray.getByRole('button', { name: 'Cancel' }).click()
    await tray.getByText('Cancelled').waitFor()
    await page.keyboard.press('Escape')
    await go(page, 'Models')
    await main.getByRole('button', { name }).waitFor()
  }))

test('models say what is wrong with them, what fits, and what removing frees', () =>
  inWindow({}, async (page) => {
    const { main, sidebar, notices } = parts(page)
    await go(page, 'Models')
    await main.getByText('cannot open “model.gguf”: the file is not there any more').waitFor()

    await main.getByRole('button', { name: /^Download .*Llama3 8B/ }).click()
    const anyway = page.getByRole('dialog', { name: /all the same\?$/ })
    await anyway.getByRole('button', { name: 'Cancel' }).click()
    await anyway.waitFor({ state: 'detached' })

    await choose(page, main.getByRole('button', { name: 'More for bitnet-2b-4t' }), 'Remove…')
    await page.getByRole('dialog').getByRole('button', { name: /^Remove and free/ }).click()
    await notices.getByText(/bitnet-2b-4t was removed, .*GB freed/).waitFor()
    await sidebar.getByRole('button', { name: /Model in use:\s*Built-in model/ }).waitFor()
  }))

test('the hardware page says what was found and why', () =>
  inWindow({}, async (page) => {
    const { main } = parts(page)
    await go(page, 'Hardware')
    for (const text of ['The processor answers, with 8 of its 8 cores.', 'avx512-vnni', 'AMD Ryzen 7 7840U']) {
      await main.getByText(text).first().waitFor()
    }
    await main.getByRole('button', { name: 'Copy report' }).click()
    const report = await until('the clipboard', () => page.evaluate(() => navigator.clipboard.readText()), Boolean)
    assert.match(report, /avx512-vnni/)
  }))

test('theme, language and text size change at once', () =>
  inWindow({}, async (page) => {
    const html = page.locator('html')
    await go(page, 'Settings')
    await page.getByRole('radio', { name: 'Dark' }).click()
    await until('the theme', () => html.getAttribute('data-theme'), 'dark')
    const paper = () => page.evaluate(() => getComputedStyle(document.querySelector('main')).backgroundColor)
    await until('the paper', paper, 'rgb(22, 22, 24)')
    await page.getByRole('combobox', { name: /^Language:/ }).click()
    await page.getByRole('option', { name: 'Türkçe' }).click()
    await page.getByRole('heading', { level: 1, name: 'Ayarlar' }).waitFor()
    assert.equal(await html.getAttribute('lang'), 'tr')
    await page.keyboard.press('Control++')
    await page.getByText('%110').waitFor()
  }))

test('in a Turkish system everything is Turkish, numbers too', () =>
  inWindow({ locale: 'tr-TR' }, async (page) => {
    assert.equal(await page.locator('html').getAttribute('lang'), 'tr')
    await page.getByRole('heading', { level: 1, name: 'Ne öğrenmek istersiniz?' }).waitFor()
    for (const name of ['Sabitlenenler', 'Bugün', 'Daha eski']) {
      await page.getByRole('navigation', { name: 'Sohbetler' }).getByText(name, { exact: true }).waitFor()
    }
    await page.getByRole('main').getByRole('textbox', { name: 'İleti' }).fill('Kira nasıl uzar?')
    await page.getByRole('main').getByRole('button', { name: 'Gönder' }).click()
    await page.getByRole('main').getByRole('button', { name: 'Durdur' }).click()
    await page.getByRole('main').getByRole('button', { name: 'Gönder' }).waitFor()
    await go(page, 'Modeller')
    await page.getByRole('main').getByText('1,2 GB').first().waitFor()
    await go(page, 'Donanım')
    await go(page, 'Ayarlar')
    const text = await page.locator('body').innerText()
    assert.doesNotMatch(text, /\b(?:chat|frame|models|settings|keys|hardware)\.[a-z]/i, 'a key stands where words should be')
  }))

test('the first start leads through four screens into a chat', () =>
  inWindow({ fresh: true }, async (page) => {
    const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor()
    await heading('Welcome')
    await page.getByRole('radio', { name: 'Türkçe' }).click()
    await heading('Hoş geldiniz')
    await page.getByRole('radio', { name: 'English' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await heading('This computer')
    await page.getByText('AMD Ryzen 7 7840U').waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
    await heading('A model')
    await page.getByRole('button', { name: /^Download .*BitNet b1\.58 2B 4T/ }).click()
    await page.getByText('The download goes on while you continue.').waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
    await heading('What leaves this computer')
    await page.getByRole('button', { name: 'Back' }).click()
    await heading('A model')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Start chatting' }).click()
    await heading('What would you like to know?')
    await parts(page).sidebar.getByRole('button', { name: /One job/ }).waitFor()
    await ask(page, 'Who are you?')
    await answered(page)
  }))

test('the introduction can be skipped, and shown again', () =>
  inWindow({ fresh: true }, async (page) => {
    await page.getByRole('button', { name: 'Skip introduction' }).click()
    await page.getByText('Your conversations appear here.').waitFor()
    await go(page, 'Settings')
    await page.getByRole('button', { name: 'About' }).click()
    await page.getByRole('button', { name: 'Show again' }).click()
    await page.getByRole('heading', { level: 1, name: 'Welcome' }).waitFor()
  }))

test('everything can be done without a mouse', () =>
  inWindow({}, async (page) => {
    const { keyboard } = page
    const { answers, stop, send, sidebar, version } = parts(page)
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent)

    // The message field has the focus from the start.
    await until('the focus', focused, 'Message')
    await keyboard.type('/long Why is the sky blue?')
    await keyboard.press('Enter')
    await stop.waitFor()
    await until('the answer', () => answers.locator('.markdown').allInnerTexts(), (texts) => texts.join().length > 20)
    await keyboard.press('Escape')
    await send.waitFor()
    await keyboard.press('Control+r')
    await stop.waitFor()
    await until('the other answer', () => answers.locator('.markdown').allInnerTexts(), (texts) => texts.join().length > 20)
    await keyboard.press('Escape')
    await version(answers, 2, 2).waitFor()

    // An empty field and the upward arrow: the last question again.
    await keyboard.press('Shift+Escape')
    await until('the focus', focused, 'Message')
    await keyboard.press('ArrowUp')
    await until('the focus', focused, 'Edit your message')
    await keyboard.press('Escape')
    await until('the focus', focused, 'Message')

    await keyboard.press('Control+b')
    await sidebar.waitFor({ state: 'detached' })
    await keyboard.press('Control+b')
    await sidebar.waitFor()

    await keyboard.press('Control+k')
    await keyboard.type('Glucose')
    await page.getByRole('option', { name: /Glucose tolerance test/ }).first().waitFor()
    await keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Glucose tolerance test' }).waitFor()
    await keyboard.press('Control+3')
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
    await keyboard.press('Alt+ArrowLeft')
    await page.getByRole('heading', { level: 1, name: 'Glucose tolerance test' }).waitFor()
    await keyboard.press('Control+n')
    await page.getByRole('heading', { level: 1, name: 'What would you like to know?' }).waitFor()

    // From the first link on, the Tab key comes past everything and each stop can be seen.
    await page.getByText('Skip to content').focus()
    const stops = []
    for (let press = 0; press < 40; press += 1) {
      if (press > 0) await keyboard.press('Tab')
      const stop = await page.evaluate(() => {
        const element = document.activeElement
        if (!element || element === document.body) return null
        const { outlineStyle, outlineWidth, borderTopWidth, boxShadow } = getComputedStyle(element)
        const box = element.getBoundingClientRect()
        return {
          name: element.getAttribute('aria-label') ?? element.textContent.trim(),
          seen: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || element.matches('textarea, input') || boxShadow !== 'none',
          large: box.width > 0 && box.height > 0,
          borderTopWidth,
        }
      })
      if (!stop) break
      stops.push(stop)
    }
    assert.deepEqual(stops.filter((stop) => !stop.name || !stop.seen || !stop.large), [])
    const names = stops.map((stop) => stop.name).join('\n')
    for (const name of ['Skip to content', 'New chat', 'Search', 'Models', 'Settings', 'System prompt', 'Sampling', 'Message']) {
      assert.ok(names.includes(name), `${name} is not among the stops:\n${names}`)
    }
  }))
