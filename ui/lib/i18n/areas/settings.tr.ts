import type { Translation } from '../messages'
import type { settingsEn } from './settings.en'

export const settingsTr: Translation<typeof settingsEn> = {}
