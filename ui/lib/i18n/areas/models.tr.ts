import type { Translation } from '../messages'
import type { modelsEn } from './models.en'

export const modelsTr: Translation<typeof modelsEn> = {}
