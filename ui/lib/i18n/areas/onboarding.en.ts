import type { Area } from '../messages'

export const onboardingEn = {
  'onboarding.step': 'Step {step} of {count}',
  'onboarding.next': 'Continue',
  'onboarding.back': 'Back',
  'onboarding.skip': 'Skip introduction',
  'onboarding.done': 'Start chatting',

  'onboarding.welcome': 'Welcome',
  'onboarding.welcomeText': 'An assistant that lives on this computer and answers without the internet.',
  'onboarding.language': 'Language',
  'onboarding.theme': 'Theme',

  'onboarding.machine': 'This computer',
  'onboarding.machineText': 'What was found, and what it means.',
  'onboarding.looking': 'Looking at the hardware…',
  'onboarding.memoryText': '{total} of memory, {free} free now.',
  'onboarding.memoryPlenty': 'Enough for every model on the list.',
  'onboarding.memoryEnough': 'Enough for the recommended model.',
  'onboarding.memoryLittle': 'Little: the built-in model works, larger ones may not.',
  'onboarding.gpuNone': 'No graphics processor is needed.',

  'onboarding.model': 'A model',
  'onboarding.modelText': 'A small one is built in and answers right away. The recommended one answers far better.',
  'onboarding.modelGoing': 'The download goes on while you continue.',
  'onboarding.later': 'You can also do this later, under Models.',

  'onboarding.private': 'What leaves this computer',
  'onboarding.nothing': 'Nothing.',
  'onboarding.private1': 'Questions, answers and files stay here.',
  'onboarding.private2': 'No account, no telemetry, no cloud.',
  'onboarding.private3': 'It works with the network cable out.',
  'onboarding.private4': 'Only when you press Download is a model fetched, from huggingface.co.',
} as const satisfies Area
