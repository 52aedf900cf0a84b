import { cleanup, configure, fireEvent, render, screen, within } from '@testing-library/svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BackendError } from '$lib/api/backend'
import { FakeBackend } from '$lib/api/fake'
import { I18n, type Locale } from '$lib/i18n'
import { App } from '$lib/state/app.svelte'
import ExpertsInTest from './ExpertsInTest.svelte'
import { worthLoading } from './warm'

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 120_000 })
configure({ asyncUtilTimeout: 20_000 })
afterEach(cleanup)

async function show(options: { fresh?: boolean; language?: Locale; prepare?: (backend: FakeBackend) => void } = {}) {
  const { fresh = false, language = 'en' } = options
  const backend = new FakeBackend({ fresh, instant: true, settings: { language } })
  options.prepare?.(backend)
  const app = new App(backend, new I18n(language), await backend.start())
  app.nav.go({ name: 'experts', tab: 'list' })
  render(ExpertsInTest, { app })
  return { app, backend }
}

const row = (id: string) => document.querySelector<HTMLElement>(`[data-expert="${id}"]`)!

describe('the page of experts', () => {
  it('says of each what it is, and where it does not beat the base model', async () => {
    await show()
    await screen.findByText('Your own')
    expect(within(row('medical_dora')).getByText(/Better than the base model: perplexity 12.64/)).toBeTruthy()
    expect(within(row('coding_dora')).getByText(/Does not beat the base model: perplexity 6.48/)).toBeTruthy()
    expect(within(row('finance_dora')).getByText(/magnitude has 2048 values/)).toBeTruthy()
    expect(within(row('turkish_dora')).getByText('Never compared with the base model')).toBeTruthy()
    expect(within(row('medical_dora')).getByText(/in memory for 12 of 14 questions/)).toBeTruthy()
  })

  it('has seven rows and a way to add one where nothing is installed, and no button that does nothing', async () => {
    await show({ fresh: true })
    await screen.findByText('Your own')
    expect(document.querySelectorAll('[data-expert]')).toHaveLength(7)
    expect(screen.queryByText('Warm up')).toBeNull()
    expect(screen.queryByText('Load')).toBeNull()
    expect(screen.getByText('Choose file…')).toBeTruthy()
    expect(screen.getByText(/None yet/)).toBeTruthy()
  })

  it('says that there is no video memory rather than drawing an empty one', async () => {
    await show({ language: 'tr' })
    expect(await screen.findByText(/Kullanılabilecek bir ekran kartı yok/)).toBeTruthy()
    expect(screen.getAllByRole('meter')).toHaveLength(1)
  })

  it('loads one and says how long it took', async () => {
    const { app } = await show()
    await fireEvent.click(await screen.findByLabelText('Load: Coding'))
    await vi.waitFor(() => expect(app.toasts.list.at(-1)?.text).toBe('Coding is in memory after 38 ms'))
  })

  it('can be tried again when it could not be read', async () => {
    const refuse = (backend: FakeBackend) =>
      backend.failNext.set('experts', new BackendError('store', 'cannot read `adapters`'))
    await show({ prepare: refuse })
    await screen.findByText('The list of experts could not be read.')
    await fireEvent.click(screen.getByText('Try again'))
    await screen.findByText('Your own')
  })

  it('warms up what fits and no more', async () => {
    const { app, backend } = await show()
    await app.experts.refresh()
    expect(worthLoading(app)).toEqual(['coding_dora', 'turkish_dora', 'tarim-uzmani'])
    backend.fakeExperts.change('tarim-uzmani', { resident_bytes: 400_000_000 })
    await app.experts.refresh()
    expect(worthLoading(app)).toEqual(['coding_dora', 'turkish_dora'])
  })
})
