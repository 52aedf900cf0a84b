import { describe, expect, it } from 'vitest'
import type { Message, Role } from '../api/types'
import { branch, buildTree, leafAfterRemoving, leafOfSibling, newestLeaf, subtree } from './tree'

function message(id: string, parent: string | null, at: number, role: Role = 'user'): Message {
  return {
    id,
    parent,
    role,
    content: id,
    created_at: at,
    state: 'complete',
    model: null,
    finish_reason: null,
    seed: null,
    error: null,
    metrics: null,
  }
}

// q1 ─ a1 ─ q2 ─ a2
//    │    └ q2' ─ a2'
//    └ a1' ─ q3
const messages = [
  message('q1', null, 1),
  message('a1', 'q1', 2, 'assistant'),
  message('q2', 'a1', 3),
  message('a2', 'q2', 4, 'assistant'),
  message('a1x', 'q1', 5, 'assistant'),
  message('q3', 'a1x', 6),
  message('q2x', 'a1', 7),
  message('a2x', 'q2x', 8, 'assistant'),
]
const tree = buildTree(messages)
const shown = (leaf: string | null) =>
  branch(tree, leaf).map((row) => `${row.message.id} ${row.index + 1}/${row.siblings.length}`)

describe('branch', () => {
  it('goes from the first message to the leaf and counts siblings', () => {
    expect(shown('a2')).toEqual(['q1 1/1', 'a1 1/2', 'q2 1/2', 'a2 1/1'])
    expect(shown('q3')).toEqual(['q1 1/1', 'a1x 2/2', 'q3 1/1'])
  })
  it('shows the newest branch for no leaf and for an unknown one', () => {
    expect(shown(null)).toEqual(shown('a2x'))
    expect(shown('gone')).toEqual(shown('a2x'))
  })
  it('is empty for no messages', () => expect(branch(buildTree([]), null)).toEqual([]))
  it('shows a message without its parent at the root', () => {
    const damaged = buildTree([message('a', 'missing', 1), message('b', 'a', 2)])
    expect(branch(damaged, 'b').map((row) => row.message.id)).toEqual(['a', 'b'])
  })
  it('ends with messages that are each other’s parents', () => {
    const circle = buildTree([message('a', 'b', 1), message('b', 'a', 2), message('c', 'c', 3)])
    expect(branch(circle, 'b').map((row) => row.message.id)).toEqual(['a', 'b'])
    expect(branch(circle, 'c').map((row) => row.message.id)).toEqual(['c'])
  })
  it('reads 20,000 messages in a row without a stack', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => message(`m${i}`, i ? `m${i - 1}` : null, i))
    expect(branch(buildTree(long), null)).toHaveLength(20_000)
  })
})

describe('siblings', () => {
  it('turning the pager goes to the newest leaf below the sibling', () => {
    const a1 = tree.byId.get('a1')!
    expect(leafOfSibling(tree, a1, 1)?.id).toBe('q3')
    expect(leafOfSibling(tree, a1, -1)).toBeUndefined()
    expect(leafOfSibling(tree, tree.byId.get('a1x')!, -1)?.id).toBe('a2x')
    expect(leafOfSibling(tree, tree.byId.get('q2x')!, -1)?.id).toBe('a2')
  })
  it('the newest leaf of a leaf is itself', () => expect(newestLeaf(tree, 'a2')?.id).toBe('a2'))
})

describe('removing', () => {
  it('takes everything below', () => expect([...subtree(tree, 'a1')].sort()).toEqual(['a1', 'a2', 'a2x', 'q2', 'q2x']))
  it('shows a sibling’s newest branch, else the parent', () => {
    expect(leafAfterRemoving(tree, 'q2x')).toBe('a2')
    expect(leafAfterRemoving(tree, 'a1')).toBe('q3')
    expect(leafAfterRemoving(tree, 'a2')).toBe('q2')
    expect(leafAfterRemoving(tree, 'q1')).toBeNull()
  })
})
