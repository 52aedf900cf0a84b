import type { Area } from '../messages'

export const modelsEn = {} as const satisfies Area
