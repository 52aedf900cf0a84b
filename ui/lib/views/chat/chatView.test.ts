import { cleanup, configure, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeBackend } from '$lib/api/fake'
import { I18n, type Locale } from '$lib/i18n'
import { App } from '$lib/state/app.svelte'
import ChatViewInTest from './ChatViewInTest.svelte'
import { sentences, spoken } from './announce'
import { lastCode } from './lastCode'
import { characters } from './typing'

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 120_000 })
configure({ asyncUtilTimeout: 20_000 })

beforeEach(() => localStorage.clear())
afterEach(cleanup)

// jsdom has no layout: the list would believe that nothing can be seen.
Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 900 })

async function show(options: { fresh?: boolean; language?: Locale; instant?: boolean } = {}) {
  const { fresh = true, language = 'en', instant = true } = options
  const backend = new FakeBackend({ fresh, instant, settings: { language } })
  const app = new App(backend, new I18n(language), await backend.start())
  render(ChatViewInTest, { app })
  const field = screen.getByLabelText<HTMLTextAreaElement>(app.i18n.t('chat.composer'))
  const type = (value: string) => fireEvent.input(field, { target: { value } })
  const asked = () =>
    backend.calls.filter(([name]) => name === 'ask').map(([, request]) => (request as { text: string }).text)
  return { backend, app, field, type, asked }
}

const answered = (app: App) =>
  waitFor(() => {
    expect(app.chats.running).toEqual([])
    // By role takes jsdom far longer, and this is asked again and again.
    expect(document.querySelectorAll('article').length).toBeGreaterThan(1)
  })

describe('the composer', () => {
  it('sends with Enter, keeps the focus and empties itself', async () => {
    const { field, type, asked, app } = await show()
    field.focus()
    await type('  What is a contract? ')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    expect(asked()).toEqual(['What is a contract?'])
    expect(field.value).toBe('')
    expect(document.activeElement).toBe(field)
    expect(app.nav.conversation).not.toBeNull()
  })

  it.each([
    ['while a word is composed', { key: 'Enter', isComposing: true }],
    ['on the key that ends composing', { key: 'Enter', keyCode: 229 }],
    ['with Shift', { key: 'Enter', shiftKey: true }],
  ])('does not send %s', async (_name, press) => {
    const { field, type, asked } = await show()
    await type('にほん')
    await fireEvent.keyDown(field, press)
    expect(asked()).toEqual([])
    expect(field.value).toBe('にほん')
  })

  it('sends nothing but blanks never', async () => {
    const { field, type, asked } = await show()
    await type('  \n ')
    await fireEvent.keyDown(field, { key: 'Enter' })
    expect(asked()).toEqual([])
    expect(screen.getByLabelText<HTMLButtonElement>('Send').disabled).toBe(true)
  })

  it('says how many characters are too many, and does not send', async () => {
    const { field, type, asked } = await show()
    await type('x'.repeat(10_003))
    expect(screen.getByRole('alert').textContent).toContain('10,000 characters; this is 3 too many')
    await fireEvent.keyDown(field, { key: 'Enter' })
    expect(asked()).toEqual([])
    await type('😀'.repeat(10_000))
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('has Stop in the place of Send while an answer is made; Escape stops, too', async () => {
    const { field, type, app, backend } = await show({ instant: false })
    await type('/long please')
    await fireEvent.keyDown(field, { key: 'Enter' })
    const stop = await screen.findByLabelText('Stop')
    expect(screen.queryByLabelText('Send')).toBeNull()
    expect(stop).toBeTruthy()
    await waitFor(() => expect(app.chats.get(app.nav.conversation!)?.run?.answer).toBeTruthy())
    await fireEvent.keyDown(field, { key: 'Escape' })
    expect(backend.calls.some(([name]) => name === 'stop')).toBe(true)
    await screen.findByText(/Stopped/)
    expect(screen.getByLabelText('Send')).toBeTruthy()
  })

  it('gives back what the core refused', async () => {
    const { field, type } = await show()
    await type('/refuse')
    await fireEvent.keyDown(field, { key: 'Enter' })
    const alert = await screen.findByRole('alert')
    expect(alert.textContent).toContain('No space left'.toLowerCase())
    expect(field.value).toBe('/refuse')
  })

  it('takes back the last question with the arrow up, and Escape leaves it as it was', async () => {
    const { field, type, app, asked } = await show()
    await type('Who are you?')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    await fireEvent.keyDown(field, { key: 'ArrowUp' })
    const editor = await screen.findByLabelText<HTMLTextAreaElement>('Edit your message')
    expect(editor.value).toBe('Who are you?')
    await fireEvent.keyDown(editor, { key: 'Escape' })
    expect(screen.queryByLabelText('Edit your message')).toBeNull()
    await fireEvent.keyDown(field, { key: 'ArrowUp' })
    const again = await screen.findByLabelText('Edit your message')
    await fireEvent.input(again, { target: { value: 'Who am I?' } })
    await fireEvent.keyDown(again, { key: 'Enter' })
    await screen.findByLabelText('Version 2 of 2')
    expect(asked()).toEqual(['Who are you?', 'Who am I?'])
  })

  it('keeps what was typed in each conversation', async () => {
    const { field, type, app } = await show({ fresh: false })
    await type('new')
    app.nav.chat('c3')
    await waitFor(() => expect(field.value).toBe(''))
    await waitFor(() => expect(app.chats.get('c3')).toBeTruthy())
    await type('in c3')
    app.nav.chat(null)
    await waitFor(() => expect(field.value).toBe('new'))
    app.nav.chat('c3')
    await waitFor(() => expect(field.value).toBe('in c3'))
  })
})

describe('messages', () => {
  it('a failed answer tells the cause, the numbers and the next step, and is tried again', async () => {
    const { field, type, app, backend } = await show()
    await type('/full')
    await fireEvent.keyDown(field, { key: 'Enter' })
    const alert = await screen.findByRole('alert')
    expect(alert.textContent).toContain('4,612 tokens')
    expect(alert.textContent).toContain('Begin a new conversation')
    await fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }))
    await answered(app)
    expect(backend.calls.some(([name]) => name === 'regenerate')).toBe(true)
  })

  it('hostile markdown does nothing', async () => {
    const { field, type, app } = await show()
    await type('/xss')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    expect((window as { __owned?: boolean }).__owned).toBeUndefined()
    expect(document.querySelector('.markdown script, .markdown img, .markdown iframe')).toBeNull()
  })

  it('a link is opened outside', async () => {
    const { field, type, app, backend } = await show()
    await type('/xss')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    await fireEvent.click(screen.getByText('a plain one'))
    expect(backend.calls.at(-1)).toEqual(['openLink', 'https://example.com/page'])
  })

  it('the keyboard regenerates and copies', async () => {
    const { field, type, app, backend } = await show()
    await type('Who are you?')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    expect(await fireEvent.keyDown(field, { key: 'r', code: 'KeyR', ctrlKey: true })).toBe(false)
    await screen.findByLabelText('Version 2 of 2')
    await answered(app)
    await fireEvent.keyDown(field, { key: 'C', code: 'KeyC', ctrlKey: true, shiftKey: true })
    const last = app.chats.get(app.nav.conversation!)!.last!
    expect(backend.calls.findLast(([name]) => name === 'copyText')).toEqual(['copyText', last.content])
  })

  it('of a deleted one come back with Undo', async () => {
    const { field, type, app } = await show()
    await type('Who are you?')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    const chat = app.chats.get(app.nav.conversation!)!
    await fireEvent.click(screen.getAllByLabelText('More').at(-1)!)
    await fireEvent.click(await screen.findByRole('menuitem', { name: 'Delete from here on' }))
    await waitFor(() => expect(chat.rows).toHaveLength(1))
    app.toasts.act(app.toasts.list.at(-1)!.id)
    await waitFor(() => expect(chat.rows).toHaveLength(2))
  })
})

describe('a new chat', () => {
  it('asks an example in the language of the interface', async () => {
    const { app, asked } = await show({ language: 'tr' })
    await fireEvent.click(screen.getByText('Diyabet nedir?'))
    await answered(app)
    expect(asked()).toEqual(['Diyabet nedir?'])
  })
})

describe('who answers', () => {
  it('is said on the answer, and plainly where the expert is not installed', async () => {
    const { app, field, type, backend } = await show()
    await app.experts.refresh()
    await type('@medical What is diabetes?')
    expect(screen.getByLabelText('For this message: @Medical')).toBeTruthy()
    await type('What is diabetes?')
    await fireEvent.keyDown(field, { key: 'Enter' })
    await answered(app)
    await screen.findByText('Medical is not installed – the base model answered.')
    expect(screen.getByText('Who answered:').closest('button')!.textContent).toContain('Base model')
    await fireEvent.click(screen.getByText('Who answered:').closest('button')!)
    const panel = await screen.findByLabelText('Details of the answer', { selector: 'aside' })
    expect(panel.textContent).toContain('Medical could not help: not installed.')
    expect(panel.textContent).toContain('No adapter was needed.')
    expect(backend.calls.find(([name]) => name === 'ask')![1]).toMatchObject({ experts: { mode: 'auto' } })
  })
})

describe('words', () => {
  it('are announced sentence by sentence, without marks', () => {
    expect(sentences('One. Two is', 0)).toEqual({ words: 'One.', upTo: 4 })
    expect(sentences('One. Two is done. Th', 4)).toEqual({ words: 'Two is done.', upTo: 17 })
    expect(sentences('3.14 is', 0)).toEqual({ words: '', upTo: 0 })
    expect(spoken('## Title\n- **bold** and [a link](https://x.y)\n|---|---|')).toBe('Title bold and a link')
  })
  it('are counted by characters', () => expect(characters('a😀ğ\ud83d')).toBe(4))
  it('of the last code block are found, nested ones too', () => {
    const one = (content: string) => ({ role: 'assistant', content }) as Parameters<typeof lastCode>[0][number]
    expect(lastCode([one('```js\na\n```\n\n```py\nb\n```'), one('none')])).toBe('b')
    expect(lastCode([one('- item\n  ```\n  code\n  ```')])).toBe('  code')
    expect(lastCode([one('none')])).toBeNull()
  })
})
