// Each field has a sign of its own; what a person adds has one in common.

import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import Code from '@lucide/svelte/icons/code'
import Compass from '@lucide/svelte/icons/compass'
import FlaskConical from '@lucide/svelte/icons/flask-conical'
import Landmark from '@lucide/svelte/icons/landmark'
import Languages from '@lucide/svelte/icons/languages'
import Puzzle from '@lucide/svelte/icons/puzzle'
import Scale from '@lucide/svelte/icons/scale'
import Stethoscope from '@lucide/svelte/icons/stethoscope'
import type { Component } from 'svelte'
import { fieldOf, type FieldName } from '$lib/i18n/expertWords'

type Icon = Component<{ class?: string }>

const ICONS: Record<FieldName, Icon> = {
  medical: Stethoscope,
  legal: Scale,
  coding: Code,
  finance: Landmark,
  turkish: Languages,
  general: Compass,
  science: FlaskConical,
}

/** `null` and an empty id are the base model. */
export function iconOf(id: string | null): Icon {
  if (!id) return CircleDashed
  const field = fieldOf(id)
  return field ? ICONS[field] : Puzzle
}
