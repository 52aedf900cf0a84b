import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BackendError } from '../api/backend'
import { FakeBackend } from '../api/fake'
import { I18n } from '../i18n'
import { App } from './app.svelte'
import { Choosing } from './chatExperts.svelte'
import { hitRate, stateOf } from './experts.svelte'
import { Playground } from './playground.svelte'

beforeEach(() => {
  localStorage.clear()
  vi.useFakeTimers({ now: new Date(2026, 2, 12, 15, 0) })
})
afterEach(() => {
  vi.useRealTimers()
})

async function open(fresh = false) {
  const backend = new FakeBackend({ instant: true, fresh, settings: { language: 'en' } })
  const app = new App(backend, new I18n(), await backend.start())
  await app.experts.refresh()
  return { app, backend, experts: app.experts }
}

describe('experts', () => {
  test('are the seven and a person’s own, in words for every state', async () => {
    const { experts } = await open()
    expect(experts.known.map((one) => [one.domain, stateOf(one)])).toEqual([
      ['medical', 'ram'],
      ['legal', 'ram'],
      ['coding', 'disk'],
      ['finance', 'broken'],
      ['turkish', 'disk'],
      ['general', 'missing'],
      ['science', 'missing'],
    ])
    expect(experts.own.map((one) => one.expert_id)).toEqual(['tarim-uzmani', 'deneme'])
    expect(experts.usable).toHaveLength(5)
  })

  test('are seven names where nothing is installed', async () => {
    const { experts } = await open(true)
    expect([experts.known.length, experts.own.length, experts.usable.length]).toEqual([7, 0, 0])
  })

  test('have a hit rate once somebody asked them', async () => {
    const { experts } = await open()
    expect(hitRate(experts.get('medical_dora')!)).toBeCloseTo(12 / 14)
    expect(hitRate(experts.get('turkish_dora')!)).toBeNull()
  })

  test('come into memory and leave it', async () => {
    const { experts } = await open()
    const loading = experts.preload(['coding_dora'])
    expect(experts.loading.has('coding_dora')).toBe(true)
    expect((await loading)[0]).toMatchObject({ expert_id: 'coding_dora', tier: 'ram' })
    expect(experts.loading.size).toBe(0)
    expect(experts.get('coding_dora')!.tier).toBe('ram')
    await experts.unload('coding_dora')
    expect(experts.get('coding_dora')!.tier).toBe('disk')
  })

  test('that cannot be loaded say why', async () => {
    const { experts } = await open()
    const reports = await experts.preload(['science_dora', 'finance_dora'])
    expect(reports.map((one) => one.error)).toEqual([
      'expert `science_dora` is not installed',
      expect.stringContaining('magnitude has 2048 values'),
    ])
  })

  test('are added one by one: a file that is none stops no other', async () => {
    const { experts } = await open()
    const added = await experts.add(['/a/broken.r3mes-expert', '/a/science_dora.r3mes-expert'])
    expect(added.map((one) => one.expert_id)).toEqual(['science_dora'])
    expect(experts.refused).toMatchObject([{ path: '/a/broken.r3mes-expert' }])
    expect([experts.adding, stateOf(experts.get('science_dora')!)]).toEqual([0, 'disk'])
  })

  test('can be given to one of the seven', async () => {
    const { experts, backend } = await open(true)
    await experts.add(['/home/ayşe/my adapter'], 'medical_dora')
    expect(backend.calls.find(([name]) => name === 'importExpert')).toEqual([
      'importExpert',
      '/home/ayşe/my adapter',
      'medical_dora',
    ])
    expect(stateOf(experts.get('medical_dora')!)).toBe('disk')
  })

  test('that are removed free their space; one of the seven stays as a name', async () => {
    const { experts } = await open()
    expect(await experts.remove('coding_dora')).toBe(61_400_000)
    expect(stateOf(experts.get('coding_dora')!)).toBe('missing')
    await experts.remove('deneme')
    expect(experts.get('deneme')).toBeUndefined()
  })

  test('change elsewhere and are read again; a failed reading keeps the last one', async () => {
    const { app, backend, experts } = await open()
    const stop = app.listen()
    backend.fakeExperts.change('legal_dora', { pinned: true })
    await vi.waitFor(() => expect(experts.get('legal_dora')!.pinned).toBe(true))
    backend.failNext.set('tiers', new BackendError('store', 'cannot read'))
    await experts.refresh()
    expect([experts.problem instanceof BackendError, experts.list!.length]).toEqual([true, 9])
    stop()
  })
})

describe('who is to answer', () => {
  test('is the router’s choice until somebody chooses, and outlives the window', () => {
    expect(new Choosing('c1').choice).toEqual({ mode: 'auto' })
    new Choosing('c1').choice = { mode: 'pinned', ids: ['legal_dora'] }
    expect([new Choosing('c1').pinned, new Choosing('c2').pinned]).toEqual(['legal_dora', null])
    new Choosing('c1').choice = { mode: 'auto' }
    expect(localStorage.length).toBe(0)
  })

  test('is not believed where the storage holds something else', () => {
    localStorage.setItem('r3mes.experts.c1', '{"mode":"pinned","ids":[]}')
    expect(new Choosing('c1').choice).toEqual({ mode: 'auto' })
    localStorage.setItem('r3mes.experts.c1', 'not json')
    expect(new Choosing('c1').choice).toEqual({ mode: 'auto' })
  })

  test('goes with the question, and those it addresses go before', async () => {
    const { app, backend } = await open()
    const chat = await app.chats.open('c2')
    chat.experts.choice = { mode: 'base' }
    await chat.send('first')
    await vi.waitFor(() => expect(chat.run).toBeNull())
    await chat.send('second', ['legal_dora'])
    await vi.waitFor(() => expect(chat.run).toBeNull())
    await chat.regenerateLast()
    const told = backend.calls.filter(([name]) => name === 'ask').map(([, request]) => request)
    expect(told).toMatchObject([
      { text: 'first', experts: { mode: 'base' } },
      { text: 'second', experts: { mode: 'pinned', ids: ['legal_dora'] } },
    ])
    expect(backend.calls.find(([name]) => name === 'regenerate')![3]).toEqual({ mode: 'base' })
  })

  test('is known before the first word and kept with the answer', async () => {
    const { app } = await open()
    const chat = await app.chats.open('c2')
    await chat.send('What is diabetes?')
    await vi.waitFor(() => expect(chat.run).toBeNull())
    expect(chat.last!.routing!.experts.map((one) => one.expert_id)).toEqual(['medical_dora'])
    await chat.label(chat.last!, { expert_id: null })
    expect(chat.last!.expert_label).toEqual({ expert_id: null })
  })
})

describe('trying the router', () => {
  const make = (backend: FakeBackend) => new Playground(backend, () => {})

  test('asks a moment after the last letter, and only the last answer counts', async () => {
    const { backend } = await open()
    const playground = make(backend)
    playground.type('What is a contract')
    playground.type('What is diabetes?')
    await vi.advanceTimersByTimeAsync(500)
    expect(backend.calls.filter(([name]) => name === 'routeQuestion')).toEqual([['routeQuestion', 'What is diabetes?']])
    expect(playground.route!.candidates[0]!.expert_id).toBe('medical_dora')
    playground.type(' ')
    expect(playground.route).toBeNull()
  })

  test('moves a weight, routes again, and goes back to the defaults', async () => {
    const { backend } = await open()
    const playground = make(backend)
    await playground.read()
    expect(playground.changed).toBe(false)
    playground.type('What is diabetes?')
    await playground.save({ reject: 0.99 })
    await vi.advanceTimersByTimeAsync(500)
    expect([playground.changed, playground.route!.reason]).toEqual([true, 'rejected'])
    await playground.reset()
    await vi.advanceTimersByTimeAsync(500)
    expect([playground.changed, playground.route!.candidates.length]).toEqual([false, 1])
  })

  test('puts a weight back that cannot be kept', async () => {
    const { backend } = await open()
    const failed = vi.fn()
    const playground = new Playground(backend, failed)
    await playground.read()
    backend.failNext.set('saveExpertSettings', new BackendError('failed', 'read-only'))
    await playground.save({ fallback: 0.9 })
    expect(playground.settings!.fallback).toBe(0.5)
    expect(failed).toHaveBeenCalledOnce()
  })

  test('says what went wrong in the place of the scores', async () => {
    const { backend } = await open()
    const playground = make(backend)
    backend.failNext.set('routeQuestion', new BackendError('failed', 'no embedder'))
    playground.type('x')
    await vi.advanceTimersByTimeAsync(500)
    expect([playground.route, playground.problem instanceof BackendError]).toEqual([null, true])
  })

  test('learns from labels, and forgets it again', async () => {
    const { backend } = await open()
    const playground = make(backend)
    await playground.read()
    expect(await playground.refit()).toBeNull()
    await backend.labelAnswer('a', { expert_id: 'legal_dora' })
    expect(await playground.refit()).toEqual({ labels: 1, before: 0.72, after: 0.86 })
    expect(playground.labels).toMatchObject({ total: 1, unused: 0, refit: { after: 0.86 } })
    await playground.undo()
    expect(playground.labels!.refit).toBeNull()
  })
})
