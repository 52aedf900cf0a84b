import type { Translation } from '../messages'
import type { hardwareEn } from './hardware.en'

export const hardwareTr: Translation<typeof hardwareEn> = {}
