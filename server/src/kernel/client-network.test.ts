import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toClientNetwork } from './client-network.ts'

test('addresses of one /64 are one client, however they are written', () => {
  const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 })
  const hex = (groups: readonly number[]): string => groups.map((group) => group.toString(16)).join(':')
  fc.assert(
    fc.property(half, half, half, ([, ...network], one, other) => {
      const networks = [one, other].map((host) => toClientNetwork(`2001:${hex(network)}:${hex(host)}`))
      expect(networks[0]).toBe(`2001:${hex(network)}::/64`)
      expect(networks[1]).toBe(networks[0])
    }),
  )
})

test.each([
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:DB8:0:0:ffff::', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['192.0.2.7', '192.0.2.7'],
  ['unknown', 'unknown'],
])('%s is %s', (ip, network) => expect(toClientNetwork(ip)).toBe(network))

test('any text gives some name', () => {
  fc.assert(fc.property(fc.oneof(fc.ipV6(), fc.string()), (ip) => toClientNetwork(ip).length > 0 || ip === ''))
})
