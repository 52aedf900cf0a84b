import type { Translation } from '../messages'
import type { frameEn } from './frame.en'

export const frameTr: Translation<typeof frameEn> = {}
