import type { Translation } from '../messages'
import type { chatEn } from './chat.en'

export const chatTr: Translation<typeof chatEn> = {}
