import { expect, test } from 'vitest'
import { createReply, type Exchange } from '../../kernel/exchange.ts'
import type { Fields } from '../../kernel/fields.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy, setupPolicy, testServices } from '../../../test/test-services.ts'
import { headers } from './headers.ts'

const toLines = ({ names, values }: Fields): string[] => names.map((name, at) => `${name}: ${values[at]}`)

/** The fields of the request after the policy's change to it. */
async function editRequest(request: unknown, exchange: Exchange): Promise<string[]> {
  await runPolicy(headers, { request }, exchange)
  return toLines(exchange.request.fields)
}

test('set replaces all values of a field at the place of the first and adds a field that is missing', async () => {
  const exchange = testExchange({ headers: { 'x-a': ['1', '2'], 'x-b': '3' } })
  expect(await editRequest({ set: { 'X-A': 'new', 'x-c': 'more' } }, exchange)).toEqual([
    'x-a: new',
    'x-b: 3',
    'x-c: more',
  ])
})

test('add leaves the values that are there', async () => {
  const exchange = testExchange({ headers: { 'x-a': '1' } })
  expect(await editRequest({ add: { 'x-a': '2' } }, exchange)).toEqual(['x-a: 1', 'x-a: 2'])
})

test('remove takes every value of a name, and all names with a beginning, away', async () => {
  const exchange = testExchange({
    headers: { 'x-a': ['1', '2'], 'x-internal-user': 'me', 'x-internal-role': 'root', 'x-international': 'stays' },
  })
  expect(await editRequest({ remove: ['X-A', 'x-internal-*'] }, exchange)).toEqual(['x-international: stays'])
})

test('a removal by beginning never takes what frames the message', async () => {
  const { reply } = await runPolicy(headers, { response: { remove: ['content-*'] } }, testExchange(), {
    upstream: () => createReply(200, { 'content-length': '4', 'content-language': 'de' }),
  })
  expect(toLines(reply.fields)).toEqual(['content-length: 4'])
})

test('rename moves every value, and a field that has the new name gives way', async () => {
  const exchange = testExchange({ headers: { 'x-new': 'forged', 'x-old': ['1', '2'] } })
  expect(await editRequest({ rename: { 'X-Old': 'X-New' } }, exchange)).toEqual(['x-new: 1', 'x-new: 2'])
  const without = testExchange({ headers: { 'x-new': 'kept' } })
  expect(await editRequest({ rename: { 'x-old': 'x-new' } }, without)).toEqual(['x-new: kept'])
})

test('changes run in the order remove, rename, set, add', async () => {
  const exchange = testExchange({ headers: { 'x-a': 'gone', 'x-b': 'moved' } })
  const edit = { add: { 'x-a': 'added' }, rename: { 'x-b': 'x-c' }, remove: ['x-a'], set: { 'x-d': 'set' } }
  expect(await editRequest(edit, exchange)).toEqual(['x-c: moved', 'x-d: set', 'x-a: added'])
})

test('values are computed from the exchange', async () => {
  const exchange = testExchange({ principal: { consumer: 'acme' } })
  expect(await editRequest({ set: { 'x-consumer': { expression: 'principal.consumer' } } }, exchange)).toEqual([
    'x-consumer: acme',
  ])
})

test.each(['a\r\nx-admin: 1', 'a\nb', 'a\0b', 'a\u007Fb', 'name in 漢字'])(
  'a computed value %j never reaches the wire',
  async (id) => {
    const exchange = testExchange({ principal: { id } })
    await expect(editRequest({ set: { 'x-id': { expression: 'principal.id' } } }, exchange)).rejects.toThrow(
      'cannot be a field value',
    )
    expect(toLines(exchange.request.fields)).toEqual([])
  },
)

test('fields of the answer are changed after the upstream, also those of a problem', async () => {
  const config = { response: { set: { 'x-frame-options': 'DENY' } } }
  const passed = await runPolicy(headers, config, testExchange())
  expect(passed.reply.fields.get('x-frame-options')).toBe('DENY')

  const failed = defineProblem({ code: 'test.failed', status: 502, title: 'Failed', blame: 'upstream', remedy: '' })
  const problem = await runPolicy(headers, config, testExchange(), { upstream: () => failed() })
  expect(problem.reply.status).toBe(502)
  expect(problem.reply.fields.get('x-frame-options')).toBe('DENY')
})

test('a direction without changes has no phase and costs nothing', () => {
  const instance = setupPolicy(headers, { response: { remove: ['server'] } }, testServices())
  expect(Object.keys(instance)).toEqual(['claims', 'response'])
  expect(instance.claims).not.toHaveProperty('request')
})

test.each(['content-length', 'Transfer-Encoding', 'connection', 'host', 'te', 'trailer', 'upgrade', 'keep-alive'])(
  '%s is refused, however it is named',
  (name) => {
    for (const request of [
      { set: { [name]: 'x' } },
      { add: { [name]: 'x' } },
      { remove: [name] },
      { rename: { 'x-a': name } },
      { rename: { [name]: 'x-a' } },
    ])
      expect(checkPolicy(headers, { request }).join(), JSON.stringify(request)).toContain('only Headgate writes it')
  },
)

test('what Headgate writes after all policies is refused', () => {
  for (const name of ['via', 'x-forwarded-for', 'X-Request-Id'])
    expect(checkPolicy(headers, { request: { set: { [name]: 'x' } } }).join()).toContain('after all policies')
  expect(checkPolicy(headers, { response: { remove: ['via'] } })).toEqual([])
})

test.each([
  [{}, ': changes nothing'],
  [{ request: {} }, 'request: changes nothing'],
  [{ request: { set: { 'x a': '1' } } }, 'request.set.x a: Invalid key in record'],
  [{ request: { set: { 'x-a': 'a\nb' } } }, 'request.set.x-a: cannot be a field value'],
  [{ request: { set: { 'x-a': '1', 'X-A': '2' } } }, 'request.set.X-A: x-a is named twice'],
  [{ request: { set: { 'x-a': '1' }, remove: ['x-a'] } }, 'request.remove.0: has no effect'],
  [{ request: { rename: { 'x-a': 'x-b' }, remove: ['x-a'] } }, 'request.remove.0: leaves no x-a'],
  [{ response: { remove: ['*'] } }, 'response.remove.0: would take every field away'],
  [{ response: { set: { 'x-a': { expression: 'request.' } } } }, 'response.set.x-a.expression: '],
])('%j is refused', (config, message) => {
  const found = checkPolicy(headers, config)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

test.each(headers.examples)('example: $title', async ({ config }) => {
  expect(checkPolicy(headers, config)).toEqual([])
  const { answer } = await runPolicy(headers, config, testExchange({ principal: {} }))
  expect(answer).toBeUndefined()
})

test('through a gateway: the upstream and the client see the changed fields, and an injected one ends in 500', async () => {
  const gateway = await testGateway({
    policies: [
      {
        kind: 'headers',
        config: {
          request: { remove: ['x-internal-*'], set: { 'x-page': { expression: 'request.query.page' } } },
          response: { remove: ['content-type'], set: { 'x-content-type-options': 'nosniff' } },
        },
      },
    ],
  })
  const answer = await gateway.inject('GET /a?page=2', { headers: { 'X-Internal-User': 'root' } })
  expect(gateway.seen[0]?.headers).toMatchObject({ 'x-page': '2' })
  expect(gateway.seen[0]?.headers).not.toHaveProperty('x-internal-user')
  expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
  expect(answer.headers).not.toHaveProperty('content-type')

  const injected = await gateway.inject('GET /a?page=2%0D%0Ax-admin:%201')
  expect(injected.status).toBe(500)
  expect(gateway.seen).toHaveLength(1)
})
