import { expect, test } from 'vitest'
import { parseTrustedProxies, toCallerAddress } from './caller-address.ts'

const proxies = parseTrustedProxies('10.0.0.0/8, 2001:db8::/32,192.0.2.7')

test.each([
  ['198.51.100.1', undefined, '198.51.100.1'],
  ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', '1.1.1.1, 203.0.113.9, 192.0.2.7', '203.0.113.9'],
  ['2001:db8::1', '2001:db9::2', '2001:db9::2'],
  ['10.0.0.1', '203.0.113.9, nonsense', '10.0.0.1'],
  ['10.0.0.1', '', '10.0.0.1'],
])('from %s, forwarded for %s, the caller is %s', (peer, forwarded, caller) => {
  expect(toCallerAddress(peer, forwarded, proxies)).toBe(caller)
})

test.each(['nonsense', '10.0.0.0/33', '10.0.0.0/x', '::/129', '/8'])('%s is no network', (text) => {
  expect(() => parseTrustedProxies(text)).toThrow('is no address and no network')
})
