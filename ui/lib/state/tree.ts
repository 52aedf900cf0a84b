// The messages of a conversation as a tree: which of them are shown, and what stands beside each.

import type { Message } from '../api/types'

export interface Tree {
  byId: Map<string, Message>
  /** Children of each message, oldest first; those of the root under `null`. */
  children: Map<string | null, Message[]>
}

/** A shown message with its place among its siblings. */
export interface Row {
  message: Message
  /** Ids of the message and its siblings, oldest first. */
  siblings: string[]
  /** Which of them it is, counted from 0. */
  index: number
}

/** A message whose parent is missing, or that is its own ancestor, is shown at the root rather than lost. */
export function buildTree(messages: readonly Message[]): Tree {
  const byId = new Map<string, Message>()
  for (const message of messages) byId.set(message.id, message)
  const children = new Map<string | null, Message[]>()
  const seen = new Set<string>()
  for (const message of byId.values()) {
    // Oldest first: a parent that has not been seen yet is damage, and would allow circles.
    const parent = message.parent !== null && seen.has(message.parent) ? message.parent : null
    const list = children.get(parent)
    if (list) list.push(message)
    else children.set(parent, [message])
    seen.add(message.id)
  }
  return { byId, children }
}

function parentOf(tree: Tree, message: Message): string | null {
  if (message.parent === null) return null
  return tree.children.get(message.parent)?.includes(message) ? message.parent : null
}

export function siblingsOf(tree: Tree, message: Message): Message[] {
  return tree.children.get(parentOf(tree, message)) ?? [message]
}

/** The branch that ends with `leaf`, first message first. Without a leaf, or with an unknown one: the newest branch. */
export function branch(tree: Tree, leaf: string | null): Row[] {
  let at = (leaf === null ? undefined : tree.byId.get(leaf)) ?? newestLeaf(tree, null)
  const rows: Row[] = []
  while (at) {
    const siblings = siblingsOf(tree, at)
    rows.push({ message: at, siblings: siblings.map((sibling) => sibling.id), index: siblings.indexOf(at) })
    const parent = parentOf(tree, at)
    at = parent === null ? undefined : tree.byId.get(parent)
  }
  return rows.reverse()
}

/** The leaf made last below `id` (or `id` itself); below the root for `null`. */
export function newestLeaf(tree: Tree, id: string | null): Message | undefined {
  let newest: Message | undefined
  const open: Message[] = id === null ? [...(tree.children.get(null) ?? [])] : []
  const start = id === null ? undefined : tree.byId.get(id)
  if (start) open.push(start)
  for (let at = open.pop(); at; at = open.pop()) {
    const below = tree.children.get(at.id)
    if (below) open.push(...below)
    else if (!newest || later(at, newest)) newest = at
  }
  return newest
}

function later(a: Message, b: Message): boolean {
  return a.created_at !== b.created_at ? a.created_at > b.created_at : a.id > b.id
}

/** The leaf shown when the pager of `message` is turned by `step`; `undefined` at either end. */
export function leafOfSibling(tree: Tree, message: Message, step: 1 | -1): Message | undefined {
  const siblings = siblingsOf(tree, message)
  const sibling = siblings[siblings.indexOf(message) + step]
  return sibling && newestLeaf(tree, sibling.id)
}

/** The message and everything below it. */
export function subtree(tree: Tree, id: string): Set<string> {
  const ids = new Set<string>()
  const open = [id]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (ids.has(at)) continue
    ids.add(at)
    for (const child of tree.children.get(at) ?? []) open.push(child.id)
  }
  return ids
}

/** What is shown once `id` with everything below it is gone: a sibling's newest branch, else the parent. */
export function leafAfterRemoving(tree: Tree, id: string): string | null {
  const message = tree.byId.get(id)
  if (!message) return null
  const siblings = siblingsOf(tree, message)
  const at = siblings.indexOf(message)
  const neighbour = siblings[at - 1] ?? siblings[at + 1]
  return neighbour ? (newestLeaf(tree, neighbour.id)?.id ?? null) : parentOf(tree, message)
}
