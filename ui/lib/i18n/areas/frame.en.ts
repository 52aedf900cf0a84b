import type { Area } from '../messages'

export const frameEn = {} as const satisfies Area
