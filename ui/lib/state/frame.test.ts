// The window's state against the backend in memory.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BackendError } from '../api/backend'
import { FakeBackend, type FakeOptions } from '../api/fake'
import { I18n } from '../i18n'
import { App } from './app.svelte'
import { nextZoom, themeOf } from './appearance'
import { grouped } from './conversations.svelte'
import { dayOf, fileName } from './data'
import { segments, PaletteSearch } from './palette.svelte'

const NOW = new Date(2026, 2, 12, 15, 0).getTime()

async function open(options: FakeOptions = {}): Promise<{ app: App; backend: FakeBackend }> {
  const backend = new FakeBackend({
    now: NOW,
    instant: true,
    ...options,
    settings: { language: 'en', ...options.settings },
  })
  return { app: new App(backend, new I18n(), await backend.start()), backend }
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('conversations', () => {
  test('stand in groups, pinned ones first and the newest first in each', async () => {
    const { app } = await open()
    expect(app.conversations.groups.map((group) => group.name)).toEqual([
      'pinned',
      'today',
      'yesterday',
      'week',
      'older',
    ])
    const today = app.conversations.groups[1]!.conversations.map((one) => one.title)
    expect(today).toEqual(['Mean and median, with branches', 'Count the words of a file', 'Mean or median?'])
  })

  test('a day later the same list stands elsewhere', async () => {
    const { app } = await open()
    const names = grouped(app.conversations.list, NOW + 86_400_000, app.i18n).map((group) => group.name)
    expect(names).toEqual(['pinned', 'yesterday', 'week', 'older'])
  })

  test('a name is shown at once and taken back when the core refuses', async () => {
    const { app, backend } = await open()
    await app.conversations.rename('c3', '  Words  ')
    expect(app.conversations.get('c3')!.title).toBe('Words')
    backend.failNext.set('renameConversation', new BackendError('failed', 'the disk is full'))
    await app.conversations.rename('c3', 'Other')
    expect(app.conversations.get('c3')!.title).toBe('Words')
    expect(app.toasts.list.at(-1)).toMatchObject({ text: 'The disk is full.', tone: 'danger' })
  })

  test('an empty name changes nothing', async () => {
    const { app, backend } = await open()
    await app.conversations.rename('c3', '   ')
    expect(backend.calls.some(([name]) => name === 'renameConversation')).toBe(false)
  })

  test('deleting leads away from it, and undo brings it back', async () => {
    const { app } = await open()
    app.nav.chat('c3')
    await app.conversations.remove('c3')
    expect(app.conversations.get('c3')).toBeUndefined()
    expect(app.nav.view).toEqual({ name: 'chat', id: null, message: null })
    const toast = app.toasts.list.at(-1)!
    expect(toast.text).toBe('“Count the words of a file” was deleted')
    app.toasts.act(toast.id)
    await vi.waitFor(() => expect(app.conversations.get('c3')).toBeDefined())
    expect(app.nav.conversation).toBe('c3')
    expect(app.toasts.list).toEqual([])
  })

  test('the trash can be emptied', async () => {
    const { app } = await open()
    await app.conversations.remove('c3')
    await app.conversations.remove('c4')
    await app.conversations.readTrash()
    expect(app.conversations.trash).toHaveLength(2)
    expect(await app.conversations.emptyTrash()).toBe(2)
    expect(app.conversations.trash).toEqual([])
  })

  test('a change elsewhere is read again', async () => {
    const { app, backend } = await open()
    const stop = app.listen()
    backend.chats.create()
    backend.announce('conversations')
    await vi.waitFor(() => expect(app.conversations.list.some((one) => one.id === 'n1')).toBe(true))
    stop()
  })
})

describe('navigation', () => {
  test('goes back and forward, and does not repeat itself', async () => {
    const { app } = await open()
    app.nav.chat('c1')
    app.nav.chat('c1')
    app.nav.go({ name: 'models' })
    app.nav.back()
    expect(app.nav.conversation).toBe('c1')
    app.nav.back()
    expect(app.nav.canGoBack).toBe(false)
    app.nav.forward()
    expect(app.nav.conversation).toBe('c1')
    app.nav.go({ name: 'hardware' })
    expect(app.nav.canGoForward).toBe(false)
  })

  test('no step leads to what is gone', async () => {
    const { app } = await open()
    app.nav.chat('c1')
    app.nav.chat('c2')
    app.nav.forget('c1')
    expect(app.nav.conversation).toBe('c2')
    app.nav.back()
    expect(app.nav.conversation).toBeNull()
  })
})

describe('toasts', () => {
  test('leave by themselves, later when they can be acted on', async () => {
    const { app } = await open()
    app.toasts.show({ text: 'plain' })
    app.toasts.show({ text: 'with undo', action: { label: 'Undo', run: () => {} } })
    vi.advanceTimersByTime(5_100)
    expect(app.toasts.list.map((toast) => toast.text)).toEqual(['with undo'])
    vi.advanceTimersByTime(5_000)
    expect(app.toasts.list).toEqual([])
  })

  test('stay while somebody points at them', async () => {
    const { app } = await open()
    app.toasts.show({ text: 'wait' })
    vi.advanceTimersByTime(4_000)
    app.toasts.pause()
    vi.advanceTimersByTime(60_000)
    expect(app.toasts.list).toHaveLength(1)
    app.toasts.resume()
    vi.advanceTimersByTime(1_100)
    expect(app.toasts.list).toEqual([])
  })

  test('the same text twice is one toast', async () => {
    const { app } = await open()
    app.toasts.show({ text: 'no space', tone: 'danger' })
    app.toasts.show({ text: 'no space', tone: 'danger' })
    expect(app.toasts.list).toMatchObject([{ times: 2 }])
  })
})

describe('settings', () => {
  test('are shown at once and put back when they cannot be kept', async () => {
    const { app, backend } = await open({ settings: { theme: 'light' } })
    await app.saveSettings({ theme: 'dark' })
    expect(document.documentElement.dataset.theme).toBe('dark')
    backend.failNext.set('saveSettings', new BackendError('failed', 'read-only'))
    await app.saveSettings({ theme: 'light' })
    expect(document.documentElement.dataset.theme).toBe('dark')
  })

  test('the language changes everything at once', async () => {
    const { app } = await open()
    await app.saveSettings({ language: 'tr' })
    expect(app.i18n.t('frame.newChat')).toBe('Yeni sohbet')
    expect(document.documentElement.lang).toBe('tr')
  })

  test('the text size goes in steps and ends', () => {
    expect([nextZoom(1, 1), nextZoom(1, -1), nextZoom(2, 1), nextZoom(0.75, -1), nextZoom(1.05, 1)]).toEqual([
      1.1, 0.85, 2, 0.75, 1.1,
    ])
  })

  test('the system decides on the theme only where it was asked to', () => {
    expect([themeOf('system', true), themeOf('system', false), themeOf('light', true)]).toEqual([
      'dark',
      'light',
      'light',
    ])
  })

  test('a narrow window or large text puts the sidebar over the page', async () => {
    const { app } = await open()
    app.windowWidth = 1024
    expect([app.narrow, app.sidebarShown]).toEqual([false, true])
    await app.saveSettings({ zoom: 2 })
    expect([app.narrow, app.sidebarShown]).toEqual([true, false])
    void app.toggleSidebar()
    expect(app.sidebarShown).toBe(true)
    expect(app.settings.sidebar_open).toBe(true)
  })
})

describe('models and jobs', () => {
  test('a download goes from job to installed model and is told of', async () => {
    const { app, backend } = await open()
    const stop = app.listen()
    await vi.waitFor(() => expect(app.models.view).not.toBeNull())
    const model = app.models.view!.known.find((one) => !one.installed)!
    expect(await app.models.pull(model)).toBe(true)
    expect(app.jobs.on(model.repo)).toMatchObject({ kind: 'pull', state: 'running' })
    await vi.advanceTimersByTimeAsync(50)
    expect(app.jobs.active).toEqual([])
    expect(app.toasts.list.at(-1)?.text).toBe(`${model.repo} is ready to use`)
    expect(app.models.view!.known.find((one) => one.repo === model.repo)!.installed).toBe(true)
    expect(backend.calls.filter(([name]) => name === 'jobs').length).toBeGreaterThan(1)
    stop()
  })

  test('a download can be paused, resumed and cancelled', async () => {
    const { app } = await open({ instant: false })
    const job = await app.backend.pullModel('tiiuae/Falcon3-7B-Instruct-1.58bit', null)
    await app.jobs.refresh()
    await vi.advanceTimersByTimeAsync(1000)
    await app.jobs.pause(job.id)
    const half = app.jobs.get(job.id)!
    expect(half).toMatchObject({ state: 'paused', bytes_per_second: 0 })
    expect(half.done_bytes).toBeGreaterThan(0)
    await app.jobs.resume(job.id)
    await vi.advanceTimersByTimeAsync(1000)
    await app.jobs.refresh()
    expect(app.jobs.get(job.id)!.done_bytes).toBeGreaterThan(half.done_bytes)
    await app.jobs.cancel(job.id)
    expect(app.jobs.active).toEqual([])
  })

  test('loading has named phases and ends in memory', async () => {
    const { app, backend } = await open()
    await app.models.refresh()
    backend.fakeModels.use('builtin')
    await app.models.refresh()
    expect([app.models.activeName, app.models.loaded]).toEqual(['builtin', false])
    expect(await app.models.warm()).toBe(true)
    expect([app.models.loaded, app.models.phase]).toEqual([true, null])
  })

  test('a broken model is not used, and says why', async () => {
    const { app } = await open()
    await app.models.refresh()
    expect(await app.models.use('tez-modeli')).toBe(false)
    expect(app.models.activeName).toBe('bitnet-2b-4t')
    expect(app.toasts.list.at(-1)!.text).toContain('cannot be used')
  })

  test('removing answers the space it freed', async () => {
    const { app } = await open()
    expect(await app.models.remove('bitnet-2b-4t')).toBe(1_180_000_000)
    expect(app.models.activeName).toBe('builtin')
  })
})

describe('the palette', () => {
  test('finds commands and titles by the beginnings of their words, in Turkish letters', () => {
    const search = new PaletteSearch(
      () => Promise.resolve([]),
      new I18n('tr'),
      () => {},
    )
    search.query = 'ığ şe'
    expect(search.matches('Iğdır ve Şebinkarahisar')).toBe(true)
    expect(search.matches('İğne ve Şehir')).toBe(false)
    search.query = 'ortalama, ortanca (2)'
    expect(search.matches('Ortalama ve ortanca, 2. bölüm')).toBe(true)
  })

  test('only the answer to the last letters counts', async () => {
    const { app } = await open()
    const search = new PaletteSearch((query) => app.conversations.search(query), app.i18n, app.report)
    search.type('mean')
    search.type('median')
    await vi.advanceTimersByTimeAsync(500)
    expect(search.searching).toBe(false)
    expect(search.hits.length).toBeGreaterThan(3)
    for (const hit of search.hits) {
      const [start, end] = hit.marks[0]!
      expect(hit.snippet.slice(start, end).toLowerCase()).toBe('median')
    }
    search.type('')
    expect(search.hits).toEqual([])
  })

  test('marks cut a text into pieces and lose nothing of it', () => {
    expect(segments('a median b', [[2, 8]])).toEqual([
      { text: 'a ', marked: false },
      { text: 'median', marked: true },
      { text: ' b', marked: false },
    ])
    expect(
      segments('abc', [
        [0, 2],
        [1, 9],
      ])
        .map((one) => one.text)
        .join(''),
    ).toBe('abc')
    expect(segments('', [])).toEqual([])
  })
})

test('names of files for copies follow the calendar of the place', () => {
  expect(dayOf(new Date(2026, 0, 5, 23, 59).getTime())).toBe('2026-01-05')
  expect([fileName('/home/ayşe/yedek.json'), fileName('C:\\Şükrü\\yedek.json')]).toEqual(['yedek.json', 'yedek.json'])
})
