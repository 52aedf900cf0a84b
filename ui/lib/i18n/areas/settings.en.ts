import type { Area } from '../messages'

export const settingsEn = {} as const satisfies Area
