import { describe, expect, test } from 'vitest'
import { BackendError } from '../api/backend'
import { failureLine, failureWords, reasonInWords } from './failure'
import { I18n } from './i18n.svelte'

const en = new I18n('en')
const tr = new I18n('tr')

describe('failures', () => {
  test('have the words of the core in English, and its hint', () => {
    expect(failureWords(en, { code: 'failed', message: 'needs 3 GB, 2 free\nhint: close something' })).toEqual({
      text: 'Needs 3 GB, 2 free.',
      detail: null,
      hint: 'Close something.',
    })
  })

  test('do not send a person in the window to the terminal', () => {
    const error = new BackendError('unknown_name', 'unknown model `x`\nhint: `r3mes model list` shows them')
    expect(failureWords(en, error).hint).toBeNull()
  })

  test('have a sentence of their own in Turkish, and the exact words behind it', () => {
    const error = new BackendError('disk_full', 'not enough room in `/home`: needs 9 B, 3 B free')
    expect(failureLine(tr, error)).toBe(
      'Diskte yeterli yer yok. Ayrıntı (İngilizce): Not enough room in “/home”: needs 9 B, 3 B free.',
    )
  })

  test('that only give a reason say in which language it is', () => {
    const reason = 'cannot open `model.gguf`: it is gone\nhint: look elsewhere'
    expect(reasonInWords(en, reason)).toBe('Cannot open “model.gguf”: it is gone.')
    expect(reasonInWords(tr, reason)).toBe('Ayrıntı (İngilizce): Cannot open “model.gguf”: it is gone.')
  })

  test('that nobody has a code for are failures all the same', () => {
    for (const error of ['x', new Error('x'), new BackendError('detail', 'x'), { code: 'toString', message: 'x' }]) {
      expect(failureWords(tr, error).text).toBe('Bir şey yolunda gitmedi.')
    }
    expect(failureWords(en, new Error('')).text).toBe('Something did not work.')
  })
})
