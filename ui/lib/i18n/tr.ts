// Turkish: complete, and in the words a person would use.

import { chatTr } from './areas/chat.tr'
import type { en } from './en'
import { errorsTr } from './areas/errors.tr'
import { frameTr } from './areas/frame.tr'
import { hardwareTr } from './areas/hardware.tr'
import type { Translation } from './messages'
import { modelsTr } from './areas/models.tr'
import { onboardingTr } from './areas/onboarding.tr'
import { expertsTr } from './areas/experts.tr'
import { routerTr } from './areas/router.tr'
import { whyTr } from './areas/why.tr'
import { settingsTr } from './areas/settings.tr'

export const tr: Translation<typeof en> = {
  ...frameTr,
  ...errorsTr,
  ...chatTr,
  ...modelsTr,
  ...hardwareTr,
  ...settingsTr,
  ...onboardingTr,
  ...expertsTr,
  ...whyTr,
  ...routerTr,
}
