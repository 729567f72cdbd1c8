import { expect, test } from 'vitest'
import { z } from 'zod'
import { definePolicy } from '../../src/kernel/policy.ts'
import { testGateway } from '../test-gateway.ts'

/** A policy that has a bug in one of its phases. */
const broken = definePolicy({
  kind: 'broken',
  title: 'Broken',
  summary: 'Throws.',
  stability: 'preview',
  config: z.strictObject({ phase: z.enum(['request', 'promise', 'response', 'upstream']) }),
  examples: [],
  problems: [],
  setup({ phase }) {
    const fail = (): never => {
      throw new Error('secret of the inside')
    }
    if (phase === 'request') return { request: fail }
    if (phase === 'promise') return { request: () => Promise.reject(new Error('secret of the inside')) }
    return phase === 'response' ? { response: fail } : { upstream: fail }
  },
})

test.each(['request', 'promise', 'response', 'upstream'])(
  'a policy that throws lets nothing pass and tells nothing: %s',
  async (phase) => {
    const gateway = await testGateway({ policies: [{ kind: 'broken', config: { phase } }], definitions: [broken] })
    const { status, body, headers } = await gateway.inject('POST /pay')
    expect(status).toBe(500)
    expect(JSON.stringify({ body, headers })).not.toContain('secret')
    expect(gateway.seen).toHaveLength(phase === 'response' ? 1 : 0)
    expect(gateway.records).toMatchObject([{ status: 500, problem: 'gateway.fault', blame: 'gateway' }])
  },
)

test.each<[what: string, policy: object]>([
  ['a condition', { kind: 'respond', when: 'int(request.query.n) > 3', config: { status: 204 } }],
  ['a cost', { kind: 'rate-limit', config: { limit: 10, cost: 'int(request.query.n)', countBy: 'route' } }],
  ['a header', { kind: 'headers', config: { request: { set: { a: { expression: 'request.query.n' } } } } }],
  [
    'a redirect',
    { kind: 'respond', when: 'true', config: { headers: { location: { expression: 'request.query.n' } } } },
  ],
])('an expression that fails lets nothing pass: %s', async (_, policy) => {
  const gateway = await testGateway({ policies: [policy] })
  const { status, headers } = await gateway.inject('GET /?n=x%0d%0aset-cookie:%20a=b')
  expect(status).toBe(500)
  expect(headers['set-cookie']).toBeUndefined()
  expect(gateway.seen).toEqual([])
})

test('faults that callers can cause at will do not flood the event log, and each has its record', async () => {
  const limit = { kind: 'rate-limit', config: { limit: 10, cost: 'int(request.query.n)', countBy: 'route' } }
  const gateway = await testGateway({ policies: [limit] })
  for (let sent = 0; sent < 50; sent++) expect((await gateway.inject('GET /?n=x')).status).toBe(500)
  expect(gateway.logged).toHaveLength(20)
  expect(gateway.logged[0]?.message).toBe('a fault of the gateway')
  expect(gateway.records).toHaveLength(50)
})
