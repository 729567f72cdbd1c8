import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'

/** More than the table of a test's gateway has slots. */
const INVENTED = 1_500

test('callers that a client invents for one limit leave the other limits room to count', async () => {
  const limit = (config: object): object => ({
    kind: 'rate-limit',
    config: { limit: 2, windowSeconds: 3600, ...config },
  })
  const gateway = await testGateway({
    routes: [
      { name: 'open', match: { path: '/open' }, policies: [limit({ countBy: "request.headers['x-tenant']" })] },
      { name: 'other', match: { path: '/other' }, policies: [limit({ countBy: "request.headers['x-caller']" })] },
    ],
  })
  const ask = async (line: string, headers: Record<string, string>): Promise<number> =>
    (await gateway.inject(line, { headers })).status
  expect(await ask('GET /open', { 'x-tenant': 'acme' })).toBe(200)
  const flood = new Set<number>()
  for (let sent = 0; sent < INVENTED; sent++) flood.add(await ask('GET /open', { 'x-tenant': `invented ${sent}` }))
  expect(flood).toEqual(new Set([200, 503]))
  expect(await ask('GET /open', { 'x-tenant': 'acme' })).toBe(200)
  expect(await ask('GET /open', { 'x-tenant': 'acme' })).toBe(429)
  for (let caller = 0; caller < 50; caller++) expect(await ask('GET /other', { 'x-caller': `${caller}` })).toBe(200)
  const warnings = gateway.logged.filter(({ message }) => message.startsWith('the table of counters'))
  expect(warnings.map(({ facts }) => facts['policy'])).toEqual(['apis/test/1/routes/open/policies/0'])
})
