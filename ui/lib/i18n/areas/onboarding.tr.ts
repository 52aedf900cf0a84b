import type { Translation } from '../messages'
import type { onboardingEn } from './onboarding.en'

export const onboardingTr: Translation<typeof onboardingEn> = {}
