// What a menu holds, for menus that open from a button and for those under the right mouse button.

import type { Component } from 'svelte'

export interface MenuAction {
  kind?: 'action'
  label: string
  icon?: Component<{ class?: string }>
  /** The shortcut, as it is written for people. */
  keys?: string
  /** What it means, beside the label. */
  note?: string
  danger?: boolean
  disabled?: boolean
  /** Set for choices: whether this one is chosen. */
  checked?: boolean
  run: () => void
}

export type MenuEntry = MenuAction | { kind: 'line' } | { kind: 'heading'; label: string }
