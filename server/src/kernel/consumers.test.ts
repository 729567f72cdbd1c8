import { expect, test } from 'vitest'
import { ConsumerIndex, toKeyHash } from './consumers.ts'
import type { ConsumerSpec } from './snapshot.ts'

function consumer(
  name: string,
  keys: readonly { key: string; expiresAtMs?: number }[],
  scopes: string[] = [],
): ConsumerSpec {
  return {
    name,
    labels: {},
    roles: [],
    scopes,
    keys: keys.map(({ key, expiresAtMs }, at) => ({ name: `key-${at + 1}`, hash: toKeyHash(key), expiresAtMs })),
    policies: [],
    subscriptions: [],
  }
}

test('a key opens what its consumer may, whatever the consumer is called', () => {
  const names = ['a', 'x'.repeat(31), 'x'.repeat(32), 'Bücherei', '書店', 'y'.repeat(300)]
  const index = new ConsumerIndex()
  for (const name of names) index.add(consumer(name, [{ key: `${name} 1` }, { key: `${name} 2`, expiresAtMs: 5 }]))
  for (const name of names) {
    expect(index.byKey(`${name} 1`)).toMatchObject({ consumer: name, credential: 'key-1', expiresAtMs: undefined })
    expect(index.byKey(`${name} 2`)).toMatchObject({ consumer: name, credential: 'key-2', expiresAtMs: 5 })
  }
  expect(index.byKey('another')).toBeUndefined()
})

test('consumers that may do different things share nothing', () => {
  const index = new ConsumerIndex()
  index.add(consumer('reader', [{ key: 'one' }], ['read']))
  index.add(consumer('writer', [{ key: 'two' }], ['read', 'write']))
  expect(index.byKey('one')?.scopes).toEqual(['read'])
  expect(index.byKey('two')?.scopes).toEqual(['read', 'write'])
})

test('a key that went to another consumer stays when the one before goes', () => {
  const index = new ConsumerIndex()
  const [before, after] = [consumer('before', [{ key: 'one' }]), consumer('after', [{ key: 'one' }])]
  index.add(before)
  index.add(after)
  index.remove(before)
  expect(index.byKey('one')?.consumer).toBe('after')
  index.remove(after)
  expect(index.byKey('one')).toBeUndefined()
})

test('says whether any consumer has policies or plans, also in copies', () => {
  const index = new ConsumerIndex()
  const plain = consumer('plain', [])
  const subscriber = { ...consumer('subscriber', []), subscriptions: [{ product: 'books', plan: 'free' }] }
  const limited = {
    ...consumer('limited', []),
    policies: [{ id: 'limit', kind: 'rate-limit', when: undefined, config: {} }],
  }
  index.add(plain)
  expect(index.hasNoPolicies).toBe(true)
  index.add(subscriber)
  const copy = index.copy()
  copy.add(limited)
  copy.remove(subscriber)
  expect([index.hasNoPolicies, copy.hasNoPolicies]).toEqual([false, false])
  copy.remove(limited)
  expect(copy.hasNoPolicies).toBe(true)
})
