import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testExchange } from '../../../test/test-exchange.ts'
import { checkPolicy, codeOf, runPolicy, setupPolicy, testServices } from '../../../test/test-services.ts'
import { ipFilter } from './ip-filter.ts'
import { createNetworkSet, parseNetwork } from './networks.ts'

const passes = async (config: unknown, ip: string): Promise<boolean> =>
  codeOf(await runPolicy(ipFilter, config, testExchange({ ip }))) === undefined

test('with `allow`, only what is in it is let in', async () => {
  const config = { allow: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'] }
  for (const ip of ['10.0.0.0', '10.255.255.255', '2001:db8::1', '2001:db8:ffff::', '192.0.2.7']) {
    expect(await passes(config, ip), ip).toBe(true)
  }
  for (const ip of ['9.255.255.255', '11.0.0.0', '2001:db9::', '192.0.2.8', '::1']) {
    expect(await passes(config, ip), ip).toBe(false)
  }
})

test('with `deny`, everybody else is let in', async () => {
  expect(await passes({ deny: ['10.0.0.0/8'] }, '10.1.2.3')).toBe(false)
  expect(await passes({ deny: ['10.0.0.0/8'] }, '11.1.2.3')).toBe(true)
  expect(await passes({ deny: ['10.0.0.0/8'] }, '2001:db8::1')).toBe(true)
})

test('`deny` wins over `allow`', async () => {
  const config = { allow: ['203.0.113.0/24'], deny: ['203.0.113.128/25'] }
  expect(await passes(config, '203.0.113.127')).toBe(true)
  expect(await passes(config, '203.0.113.128')).toBe(false)
})

test('an IPv4 client is the same however the socket shows it', async () => {
  expect(await passes({ deny: ['10.0.0.0/8'] }, '::ffff:10.1.2.3')).toBe(false)
  expect(await passes({ deny: ['::ffff:10.0.0.0/104'] }, '10.1.2.3')).toBe(false)
  expect(await passes({ allow: ['fe80::/10'] }, 'fe80::1%eth0')).toBe(true)
})

test.each(['', 'unknown', '0x0a.0.0.1', '010.0.0.1', '10.1', '10.0.0.1:80'])(
  'what is no address is not let in, whatever the list: %j',
  async (ip) => {
    expect(await passes({ allow: ['0.0.0.0/0', '::/0'] }, ip)).toBe(false)
    expect(await passes({ deny: ['10.0.0.0/8'] }, ip)).toBe(false)
  },
)

test('the refusal names the address, so that a forgotten proxy is found', async () => {
  const { answer, reply } = await runPolicy(ipFilter, { deny: ['10.0.0.0/8'] }, testExchange({ ip: '10.0.0.9' }))
  expect(reply.status).toBe(403)
  expect(answer).toMatchObject({ detail: 'Requests from 10.0.0.9 are not allowed here.' })
})

test('a connection is judged once', async () => {
  const instance = setupPolicy(ipFilter, { deny: ['10.0.0.0/8'] }, testServices())
  const exchange = testExchange({ ip: '10.0.0.9' })
  expect(await instance.request?.(exchange)).toBe(await instance.request?.(exchange))
})

test('lists without effect or against each other are refused', () => {
  expect(checkPolicy(ipFilter, {})).toEqual([': filters nothing: give `allow` or `deny`'])
  expect(checkPolicy(ipFilter, { allow: ['10.1.2.3/8'] })).toEqual([
    'allow.0: 10.1.2.3/8 is no network: write 10.0.0.0/8, or 10.1.2.3 for the one address',
  ])
  expect(
    checkPolicy(ipFilter, { allow: ['10.0.0.0/8', '192.0.2.0/24'], deny: ['10.0.0.0/9', '10.128.0.0/9'] }),
  ).toEqual(['allow.0: 10.0.0.0/8 is never let in: `deny` has all of it'])
  expect(checkPolicy(ipFilter, { allow: ['10.0.0.0/8'], deny: ['2001:db8::/32'] })).toEqual([
    'deny.0: 2001:db8::/32 has no effect: `allow` does not have any of it',
  ])
  expect(checkPolicy(ipFilter, { allow: ['10.0.0.0/33'] })).not.toEqual([])
  expect(checkPolicy(ipFilter, { allow: ['example.com'] })).not.toEqual([])
})

test('a set has exactly the addresses of its networks', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(3), fc.nat(255))
  const networks = fc.array(fc.tuple(octets, fc.integer({ min: 1, max: 32 })), { maxLength: 8 })
  const toNumber = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  fc.assert(
    fc.property(networks, octets, (list, address) => {
      const set = createNetworkSet(list.map(([bytes, length]) => parseNetwork(`${bytes.join('.')}/${length}`)))
      const expected = list.some(([bytes, length]) => {
        const size = 2 ** (32 - length)
        return Math.floor(toNumber(bytes) / size) === Math.floor(toNumber(address) / size)
      })
      expect(set.contains(address.join('.'))).toBe(expected)
    }),
  )
})

test.each(ipFilter.examples.map(({ title, config }) => [title, config]))('example: %s', async (_, config) => {
  expect(checkPolicy(ipFilter, config)).toEqual([])
  const [first = ''] = config.allow ?? []
  expect(await passes(config, first.replace(/0\/\d+$/, '1'))).toBe(true)
  expect(await passes(config, '198.51.100.1')).toBe(false)
})
