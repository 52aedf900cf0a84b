// What went wrong, one sentence per code of the core. English shows the core's own words, which say more; these are the
// texts that other languages translate.

export const errorsEn = {
  'errors.unknown_name': 'There is nothing of this name here.',
  'errors.bad_request': 'This cannot be done as it was asked.',
  'errors.name_taken': 'Something else has this name already.',
  'errors.context_length_exceeded':
    'The conversation is longer than what the model can read at once. Begin a new one, or choose a model with a longer context.',
  'errors.model_unusable':
    'The files of this model cannot be used. Check it on the Models page, or choose another one.',
  'errors.expert_unusable':
    'The files of this expert cannot be used with this model. The Experts page says what is wrong with them.',
  'errors.download': 'The download did not work. What has arrived is kept; look at the connection and try again.',
  'errors.busy': 'Another program is working on this. Try again when it is done.',
  'errors.disk_full': 'There is not enough room on the disk.',
  'errors.store': 'The stored conversations cannot be read or written.',
  'errors.failed': 'Something did not work.',
  'errors.detail': 'Details: {detail}',
} as const
