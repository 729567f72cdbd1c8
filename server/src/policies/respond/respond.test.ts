import { expect, test } from 'vitest'
import type { Exchange } from '../../kernel/exchange.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy } from '../../../test/test-services.ts'
import { respond } from './respond.ts'

async function answered(config: unknown, exchange: Exchange = testExchange()): Promise<Record<string, unknown>> {
  const { reply } = await runPolicy(respond, config, exchange, {
    upstream: () => {
      throw new Error('The upstream was called')
    },
  })
  const { status, fields, body } = reply
  const lines = fields.names.map((name, at) => `${name}: ${fields.values[at]}`)
  return { status, fields: lines, body: body instanceof Uint8Array ? Buffer.from(body).toString() : body }
}

test('without a configuration it answers 200 without a body', async () => {
  expect(await answered({})).toEqual({ status: 200, fields: [], body: undefined })
})

test('a text is answered as text/plain in UTF-8', async () => {
  expect(await answered({ status: 404, body: 'Nichts für dich' })).toEqual({
    status: 404,
    fields: ['content-type: text/plain; charset=utf-8'],
    body: 'Nichts für dich',
  })
})

test('a value is answered as JSON, null and empty ones too', async () => {
  const fields = ['content-type: application/json']
  expect(await answered({ json: { a: [1, null] } })).toEqual({ status: 200, fields, body: '{"a":[1,null]}' })
  expect(await answered({ json: null })).toEqual({ status: 200, fields, body: 'null' })
})

test('headers win over the type that is given by default', async () => {
  expect(await answered({ body: '<p>', headers: { 'Content-Type': 'text/html' } })).toMatchObject({
    fields: ['content-type: text/html'],
  })
})

test('headers and body can be computed', async () => {
  const config = {
    headers: { location: { expression: "'/v2' + request.path" } },
    body: { expression: "'Hello ' + principal.id" },
  }
  const exchange = testExchange({ path: '/books', principal: { id: 'ann' } })
  expect(await answered(config, exchange)).toMatchObject({
    body: 'Hello ann',
    fields: expect.arrayContaining(['location: /v2/books']),
  })
})

test('a computed header that would begin another one is a fault and not an answer', async () => {
  const config = { headers: { 'x-a': { expression: 'principal.id' } } }
  const exchange = testExchange({ principal: { id: 'a\r\nset-cookie: b' } })
  await expect(answered(config, exchange)).rejects.toThrow('cannot be a field value')
})

test('each answer has fields of its own', async () => {
  const first = await runPolicy(respond, { body: 'x' }, testExchange())
  first.reply.fields.set('content-type', 'changed')
  expect(await answered({ body: 'x' })).toMatchObject({ fields: ['content-type: text/plain; charset=utf-8'] })
})

test.each([
  [{ status: 101 }, 'status: '],
  [{ status: 600 }, 'status: '],
  [{ body: 'a', json: 1 }, 'json: has no effect beside'],
  [{ status: 204, body: 'a' }, 'body: has no effect, because a 204 has no body'],
  [{ status: 304, json: {} }, 'json: has no effect'],
  [{ headers: { 'content-length': '3' } }, 'headers.content-length: content-length frames'],
  [{ headers: { 'x-a': '1', 'X-A': '2' } }, 'headers.X-A: x-a is named twice'],
  [{ headers: { 'x-a': 'a\r\nb: c' } }, 'headers.x-a: cannot be a field value'],
  [{ body: { expression: '1 +' } }, 'body.expression: '],
])('%j is refused', (config, message) => {
  const found = checkPolicy(respond, config)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

test.each(respond.examples)('example: $title', async ({ config }) => {
  expect(checkPolicy(respond, config)).toEqual([])
  expect(await answered(config)).toMatchObject({ status: config.status })
})

test('through a gateway: a route needs no upstream, and HEAD gets the answer without its body', async () => {
  const gateway = await testGateway({
    api: { upstream: undefined },
    document: { upstreams: [] },
    policies: [{ kind: 'respond', config: { status: 418, headers: { 'x-a': '1' }, body: 'short and stout' } }],
  })
  const answer = await gateway.inject('GET /pot')
  expect(answer).toMatchObject({ status: 418, body: 'short and stout' })
  expect(answer.headers).toMatchObject({ 'x-a': '1', 'content-length': '15' })
  expect(await gateway.inject('HEAD /pot')).toMatchObject({ status: 418, body: '' })
  expect(gateway.seen).toEqual([])
})
