import type { Area } from '../messages'

export const chatEn = {} as const satisfies Area
