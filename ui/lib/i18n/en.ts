// English. The texts lie by area in `areas/`; every key of all of them is one flat name.

import { chatEn } from './areas/chat.en'
import { errorsEn } from './areas/errors.en'
import { frameEn } from './areas/frame.en'
import { hardwareEn } from './areas/hardware.en'
import { modelsEn } from './areas/models.en'
import { onboardingEn } from './areas/onboarding.en'
import { expertsEn } from './areas/experts.en'
import { routerEn } from './areas/router.en'
import { whyEn } from './areas/why.en'
import { settingsEn } from './areas/settings.en'

export const en = {
  ...frameEn,
  ...errorsEn,
  ...chatEn,
  ...modelsEn,
  ...hardwareEn,
  ...settingsEn,
  ...onboardingEn,
  ...expertsEn,
  ...whyEn,
  ...routerEn,
} as const
