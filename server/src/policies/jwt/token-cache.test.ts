import { expect, test } from 'vitest'
import { TokenCache } from './token-cache.ts'

test('never holds more than its capacity, and keeps what is asked for', () => {
  const cache = new TokenCache<number>(100)
  cache.set('used', -1, 1000, 0)
  for (let at = 0; at < 1000; at++) {
    cache.set(`token-${at}`, at, 1000, 0)
    expect(cache.get('used', 0, 0)).toBe(-1)
  }
  const held = Array.from({ length: 1000 }, (_, at) => at).filter((at) => cache.get(`token-${at}`, 0, 0) !== undefined)
  expect(held.length).toBeLessThanOrEqual(100)
  expect(held).toContain(999)
})

test('forgets at the moment that was set', () => {
  const cache = new TokenCache<number>(10)
  cache.set('token', 1, 1000, 0)
  expect(cache.get('token', 999, 0)).toBe(1)
  expect(cache.get('token', 1000, 0)).toBeUndefined()
})

test('does not know what was verified with other keys', () => {
  const cache = new TokenCache<number>(10)
  cache.set('token', 1, 1000, 1)
  expect(cache.get('token', 0, 2)).toBeUndefined()
  expect(cache.get('token', 0, 1)).toBe(1)
})

test('holds nothing without a capacity', () => {
  const cache = new TokenCache<number>(0)
  cache.set('token', 1, 1000, 0)
  expect(cache.get('token', 0, 0)).toBeUndefined()
})
