import type { Area } from '../messages'

export const onboardingEn = {} as const satisfies Area
