import { describe, expect, test } from 'vitest'
import { droppedInWords, droppedShortly, expertName, fieldOf } from './expertWords'
import { I18n } from './i18n.svelte'
import { phaseInWords } from './phases'

const en = new I18n('en')
const tr = new I18n('tr')

describe('experts', () => {
  test('of the seven fields have a name in each language', () => {
    expect([expertName(en, 'medical_dora'), expertName(tr, 'medical_dora')]).toEqual(['Medical', 'Tıp'])
    expect([fieldOf('turkish_dora'), fieldOf('medical'), fieldOf('tarim-uzmani')]).toEqual(['turkish', null, null])
  })

  test('of a person have the name they were given, else their id', () => {
    expect(expertName(tr, 'tarim', { name: 'Tarım uzmanı' })).toBe('Tarım uzmanı')
    expect(expertName(tr, 'tarim')).toBe('tarim')
  })

  test('nobody is the base model', () => {
    expect([expertName(en, null), expertName(tr, '')]).toEqual(['Base model', 'Temel model'])
  })

  test('brought from disk are named while it lasts', () => {
    expect(phaseInWords(tr, 'bringing `legal_dora` from disk')).toBe('Hukuk diskten getiriliyor')
    expect(phaseInWords(en, 'something new')).toBe('something new')
  })
})

describe('why an expert was left out', () => {
  test('has its bytes in sizes people read', () => {
    const reason = 'needs 61000000 B, 12000000 B free of 512000000 B'
    expect(droppedInWords(en, reason)).toBe('it needs 61.0 MB, and 12.0 MB of 512.0 MB are free')
    expect(droppedInWords(tr, reason)).toBe('61,0 MB gerekiyor, 512,0 MB yerin 12,0 MB kadarı boş')
  })

  test('is short where that is all', () => {
    expect(droppedInWords(tr, 'not installed')).toBe('kurulu değil')
  })

  test('keeps the words of the core where the short ones do not have them', () => {
    const reason = 'layer 12 `ffn_up`: magnitude is missing'
    expect(droppedShortly(tr, reason)).toBe('dosyaları kullanılamıyor')
    expect(droppedInWords(tr, reason)).toBe(
      'dosyaları kullanılamıyor. Ayrıntı (İngilizce): Layer 12 “ffn_up”: magnitude is missing',
    )
  })
})
