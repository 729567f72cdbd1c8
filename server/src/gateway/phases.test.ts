import { expect, test } from 'vitest'
import { z } from 'zod'
import { testGateway } from '../../test/test-gateway.ts'
import { createReply } from '../kernel/exchange.ts'
import { definePolicy, type PolicyDefinition, type PolicyInstance } from '../kernel/policy.ts'
import { defineProblem } from '../kernel/problem.ts'

const refused = defineProblem({ code: 'test.refused', status: 418, title: 'Refused', blame: 'caller', remedy: 'None.' })

/** A policy that notes every phase it is called in under its own name. */
function noting(
  calls: string[],
  phases: (name: string, note: (phase: string) => void) => PolicyInstance,
): PolicyDefinition {
  return definePolicy({
    kind: 'noting',
    title: 'Noting',
    summary: 'Notes its phases.',
    stability: 'stable',
    config: z.strictObject({ name: z.string() }),
    examples: [],
    problems: [refused],
    setup: ({ name }) =>
      phases(name, (phase) => {
        calls.push(`${name} ${phase}`)
      }),
  })
}

const all = (_name: string, note: (phase: string) => void): PolicyInstance => ({
  request: () => {
    note('request')
    return undefined
  },
  response: () => note('response'),
  close: () => note('close'),
})

const named = (name: string): object => ({ kind: 'noting', config: { name } })

test('request phases run in the order of the list, response and close in reverse', async () => {
  const calls: string[] = []
  const gateway = await testGateway({ definitions: [noting(calls, all)], policies: [named('a'), named('b')] })
  expect((await gateway.inject('GET /')).status).toBe(200)
  await gateway.recorded(1)
  expect(calls).toEqual(['a request', 'b request', 'b response', 'a response', 'b close', 'a close'])
})

test('a refusal ends the request phases, and only policies that were entered see the way back', async () => {
  const calls: string[] = []
  const phases = (name: string, note: (phase: string) => void): PolicyInstance => ({
    ...all(name, note),
    request: () => {
      note('request')
      return name === 'b' ? refused() : undefined
    },
  })
  const gateway = await testGateway({
    definitions: [noting(calls, phases)],
    policies: [named('a'), named('b'), named('c')],
  })
  expect((await gateway.inject('GET /')).status).toBe(418)
  await gateway.recorded(1)
  expect(calls).toEqual(['a request', 'b request', 'b response', 'a response', 'b close', 'a close'])
  expect(gateway.seen).toEqual([])
})

test('a policy whose condition is false takes part in no phase', async () => {
  const calls: string[] = []
  const policies = [named('a'), { ...named('b'), when: "request.query.all == '1'" }]
  const gateway = await testGateway({ definitions: [noting(calls, all)], policies })
  await gateway.inject('GET /')
  await gateway.recorded(1)
  expect(calls).toEqual(['a request', 'a response', 'a close'])
})

test('the first policy that wraps the call is the outermost, and may answer without calling', async () => {
  const calls: string[] = []
  const phases = (name: string, note: (phase: string) => void): PolicyInstance => ({
    upstream: async (exchange, next) => {
      note('before')
      const answer = exchange.request.path === '/own' && name === 'b' ? createReply(200, {}, 'own') : await next()
      note('after')
      return answer
    },
  })
  const gateway = await testGateway({ definitions: [noting(calls, phases)], policies: [named('a'), named('b')] })
  expect((await gateway.inject('GET /')).status).toBe(200)
  expect((await gateway.inject('GET /own')).body).toBe('own')
  const round = ['a before', 'b before', 'b after', 'a after']
  expect(calls).toEqual([...round, ...round])
  expect(gateway.seen).toHaveLength(1)
})

test('what a policy throws is a fault of ours: 500, logged, and nothing reaches the upstream', async () => {
  const phases = (): PolicyInstance => ({
    request: () => {
      throw new Error('a secret detail')
    },
  })
  const gateway = await testGateway({ definitions: [noting([], phases)], policies: [named('a')] })
  const answer = await gateway.inject('GET /')
  expect(answer.status).toBe(500)
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'gateway.fault' })
  expect(answer.body).not.toContain('secret')
  expect(gateway.seen).toEqual([])
  expect((await gateway.recorded(1))[0]).toMatchObject({ status: 500, blame: 'gateway' })
  expect(gateway.logged).toHaveLength(1)
})

test('a promise that rejects is a fault as well, in the request and in the response phase', async () => {
  const phases = (): PolicyInstance => ({
    request: async ({ request }) => {
      if (request.path === '/early') throw new Error('early')
      return undefined
    },
    response: async () => {
      throw new Error('late')
    },
  })
  const gateway = await testGateway({ definitions: [noting([], phases)], policies: [named('a')] })
  expect((await gateway.inject('GET /early')).status).toBe(500)
  expect((await gateway.inject('GET /late')).status).toBe(500)
  expect(gateway.seen.map(({ url }) => url)).toEqual(['/late'])
})

test('a preflight that no CORS policy answers goes through all policies', async () => {
  const policies = [
    { kind: 'cors', when: "request.query.open == '1'", config: { origins: ['https://shop.example'] } },
    { kind: 'key-auth' },
  ]
  const document = { consumers: [{ name: 'acme', keys: [{ value: 'k' }] }] }
  const gateway = await testGateway({ policies, document })
  const headers = { origin: 'https://shop.example', 'access-control-request-method': 'GET' }
  expect((await gateway.inject('OPTIONS /books?open=1', { headers })).status).toBe(204)
  expect((await gateway.inject('OPTIONS /books', { headers })).status).toBe(401)
  expect(gateway.seen).toEqual([])
})

test("policies of a consumer's plan and of the consumer itself run once it is known, after the route's", async () => {
  const calls: string[] = []
  const gateway = await testGateway({
    definitions: [
      noting(calls, (_name, note) => ({
        request: () => {
          note('request')
          return undefined
        },
      })),
    ],
    policies: [{ kind: 'key-auth' }, named('api')],
    document: {
      products: [{ name: 'shop', apis: ['test'], plans: [{ name: 'gold', policies: [named('plan')] }] }],
      consumers: [
        {
          name: 'acme',
          keys: [{ value: 'a' }],
          policies: [named('acme')],
          subscriptions: [{ product: 'shop', plan: 'gold' }],
        },
        { name: 'other', keys: [{ value: 'o' }] },
      ],
    },
  })
  await gateway.inject('GET /', { headers: { 'x-api-key': 'a' } })
  await gateway.inject('GET /', { headers: { 'x-api-key': 'o' } })
  await gateway.inject('GET /', { headers: { 'x-api-key': 'wrong' } })
  expect(calls).toEqual(['api request', 'plan request', 'acme request', 'api request'])
})
