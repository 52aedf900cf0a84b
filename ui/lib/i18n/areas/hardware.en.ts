import type { Area } from '../messages'

export const hardwareEn = {} as const satisfies Area
