import type { Area } from '../messages'

export const hardwareEn = {
  'hardware.title': 'Hardware',
  'hardware.intro': 'What was found on this computer, what is used, and why.',
  'hardware.again': 'Check again',
  'hardware.copy': 'Copy report',
  'hardware.copied': 'The report was copied',
  'hardware.readFailed': 'The hardware could not be examined.',
  'hardware.problems': { one: 'One thing needs your attention', other: '{count} things need your attention' },
  'hardware.fine': 'Everything needed was found and works.',

  'hardware.summary': 'The processor answers, with {threads} of its {cores} cores.',
  'hardware.summaryGpu': '{gpu} answers.',
  'hardware.speed.fast':
    'It has instructions made for this kind of arithmetic. That is the fastest this program runs on a processor.',
  'hardware.speed.good':
    'It lacks the newest instructions for this kind of arithmetic. Answers come at a good pace, long questions take a moment.',
  'hardware.speed.slow': 'None of the fast instructions can be used. Everything works, but slowly.',

  'hardware.compute': 'Computing',
  'hardware.cpu': 'Processor',
  'hardware.cores': '{cores} cores, {logical} hardware threads, {threads} used',
  'hardware.isa': 'Instructions',
  'hardware.isaBest': '{isa} is used: the best set this processor has. A self-test at the start has passed.',
  'hardware.isaForced': '{isa} is used: {reason}',
  'hardware.isaOthers': 'Also possible: {list}',
  'hardware.isaRejected': 'Tried and not used: {list}',
  'hardware.gpu': 'Graphics processor',
  'hardware.gpuNone':
    'None that can be used was found. The processor computes everything; nothing is missing for that.',
  'hardware.gpuUsed': '{name} with {size} is used.',
  'hardware.gpuUnused': '{name} with {size} was found, but is not used.',

  'hardware.memory': 'Memory and disk',
  'hardware.ram': 'Memory',
  'hardware.ramFree': '{free} of {total} are free',
  'hardware.disk': 'Disk',
  'hardware.diskFree': '{free} are free where models are kept',
  'hardware.diskUnknown': 'How much is free could not be read',
  'hardware.readOnly': 'The data folder cannot be written to. Conversations and models cannot be kept.',

  'hardware.program': 'Program',
  'hardware.model': 'Model in use',
  'hardware.modelReady': 'Ready',
  'hardware.system': 'System',
  'hardware.version': 'Version',
  'hardware.home': 'Data folder',
  'hardware.open': 'Open',
  'hardware.details': 'In the program’s own words',
} as const satisfies Area
