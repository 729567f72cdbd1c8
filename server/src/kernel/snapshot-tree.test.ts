import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SnapshotTree } from './snapshot-tree.ts'

const key = fc.constantFrom('header', 'routes/a', 'routes/b', 'upstreams/a', 'consumers/@team/x')
const steps = fc.array(fc.record({ key, line: fc.constantFrom('', '1', '2', '"ü"') }), { maxLength: 30 })

test('equal content has equal roots, whatever led to it', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const tree = new SnapshotTree()
      for (const step of list) {
        if (step.line === '') tree.remove(step.key)
        else tree.set(step.key, step.line)
      }
      const fresh = new SnapshotTree()
      fresh.apply({ removed: [], lines: [...tree.lines()].toReversed() })
      expect(fresh.root()).toBe(tree.root())
      expect(fresh.bucketHashes()).toEqual(tree.bucketHashes())
    }),
  )
})

test('other content has another root, and the buckets say where it lies', () => {
  const tree = new SnapshotTree()
  tree.apply({ removed: [], lines: [{ key: 'routes/a', line: '1' }] })
  const before = tree.bucketHashes()
  const root = tree.root()
  tree.set('routes/b', '1')
  expect(tree.root()).not.toBe(root)
  const changed = tree.bucketHashes().flatMap((hash, index) => (hash === before[index] ? [] : [index]))
  expect(changed.flatMap((index) => tree.linesOfBucket(index))).toContainEqual({ key: 'routes/b', line: '1' })
})
