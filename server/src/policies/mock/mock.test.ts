import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { testExchange, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, codeOf, runPolicy, setupPolicy, testServices, textOf } from '../../../test/test-services.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { mock } from './mock.ts'

const book = {
  type: 'object',
  required: ['id', 'title'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    title: { type: 'string' },
    secret: { type: 'string', writeOnly: true },
  },
}
const json = (schema: JsonObject, more: JsonObject = {}): JsonObject => ({
  content: { 'application/json': { schema, ...more } },
})
const error = json({ type: 'object', required: ['message'], properties: { message: { type: 'string' } } })

const operation: JsonObject = {
  responses: {
    '404': error,
    '200': json(book),
    '4XX': { description: 'without a body' },
    default: error,
  },
}

async function answered(options: TestExchangeOptions = {}, config: object = {}, of: JsonObject = operation) {
  const services = testServices({ random: Math.random })
  const run = await runPolicy(mock, config, testExchange({ route: { operation: of }, ...options }), { services })
  const text = textOf(run.reply)
  const isJson = run.reply.fields.get('content-type')?.includes('json') === true
  return { run, status: run.reply.status, fields: run.reply.fields, text, body: isJson ? JSON.parse(text) : undefined }
}

const preferring = (prefer: string, more: TestExchangeOptions = {}): TestExchangeOptions => ({
  ...more,
  headers: { prefer },
})

describe('an answer', () => {
  test('is the first success that is described, with a value of its schema', async () => {
    const { status, body, fields } = await answered()
    expect([status, fields.get('content-type')]).toEqual([200, 'application/json'])
    expect(body).toEqual({ id: expect.any(Number), title: expect.any(String) })
  })

  test('is the same for the same request, and another one for another', async () => {
    const [one, again, other] = ['/books/1', '/books/1', '/books/2'].map((path) => answered({ path }))
    expect((await one)?.text).toBe((await again)?.text)
    expect((await one)?.text).not.toBe((await other)?.text)
  })

  test.each([
    [{ responses: { default: error } }, 200],
    [{ responses: { '302': {}, '500': {} } }, 302],
    [{ responses: { '2XX': {} } }, 200],
    [{ responses: { '201': {}, '204': {} } }, 201],
    [{ responses: { '100': {} } }, 200],
    [{}, 200],
  ])('of %j has the status %i', async (described, status) => {
    expect(await answered({}, {}, described)).toMatchObject({ status })
  })

  test('with a status that has no body has none', async () => {
    const { run } = await answered({}, {}, { responses: { '204': json(book) } })
    expect([run.reply.status, run.reply.body, run.reply.fields.has('content-type')]).toEqual([204, undefined, false])
  })

  test('has the headers that are described, but for those that the gateway writes', async () => {
    const headers = {
      'X-Total': { schema: { type: 'integer', minimum: 7, maximum: 7 } },
      'X-Tags': { schema: { type: 'array', items: { const: 'a' }, minItems: 2, maxItems: 2 } },
      'X-Example': { schema: { type: 'string' }, example: 'given' },
      'X-Bad': { schema: { const: 'a\r\nb: c' } },
      'Content-Length': { schema: { const: 1 } },
      'Content-Encoding': { schema: { const: 'gzip' } },
      'Content-Type': { schema: { const: 'text/html' } },
    }
    const { fields } = await answered({}, {}, { responses: { '200': { ...json(book), headers } } })
    expect(fields.names).toEqual(['x-total', 'x-tags', 'x-example', 'vary', 'content-type'])
    expect(['x-total', 'x-tags', 'x-example'].map((name) => fields.get(name))).toEqual(['7', 'a,a', 'given'])
  })

  test('of a route without an operation is a problem of the operator', async () => {
    const run = await runPolicy(mock, {}, testExchange())
    expect(run.answer).toMatchObject({ definition: { code: 'mock.no_operation', status: 501, blame: 'operator' } })
  })
})

describe('examples', () => {
  const title = (name: string) => ({ id: 1, title: name })
  const named = json(book, {
    examples: { wrong: { value: { id: 'x' } }, first: { value: title('first') }, second: { value: title('second') } },
  })
  const described = { responses: { '200': named } }

  test('are answered, the first that fulfils the schema', async () => {
    expect((await answered({}, {}, described)).body).toEqual(title('first'))
    const one = { responses: { '200': json(book, { example: title('only') }) } }
    expect((await answered({}, {}, one)).body).toEqual(title('only'))
    const contradicting = { responses: { '200': json(book, { example: { id: 'x' } }) } }
    expect((await answered({}, {}, contradicting)).body).toEqual({ id: expect.any(Number), title: expect.any(String) })
  })

  test('are answered by name, right or wrong', async () => {
    const second = await answered(preferring('example=second'), {}, described)
    expect([second.body, second.fields.get('preference-applied')]).toEqual([title('second'), 'example=second'])
    expect((await answered(preferring('example="wrong"'), {}, described)).body).toEqual({ id: 'x' })
    const unknown = await answered(preferring('example=third'), {}, described)
    expect([unknown.body, unknown.fields.has('preference-applied')]).toEqual([title('first'), false])
  })

  test('are not used by who wants an answer made up, each time another one', async () => {
    const bodies = new Set<string>()
    for (let i = 0; i < 5; i++) bodies.add((await answered(preferring('dynamic=true'), {}, described)).text)
    for (let i = 0; i < 5; i++) bodies.add((await answered({}, { dynamic: true }, described)).text)
    expect(bodies.size).toBe(10)
    expect(bodies.has(JSON.stringify(title('first')))).toBe(false)
    const fixed = await answered(preferring('dynamic=false'), { dynamic: true }, described)
    expect(fixed.body).toEqual(title('first'))
  })
})

describe('Prefer', () => {
  test.each([
    ['code=404', 404, 'code=404'],
    ['CODE=404', 404, 'code=404'],
    ['respond-async, code="404"; foo=bar', 404, 'code=404'],
    ['code=404, code=200', 404, 'code=404'],
    ['code=409', 409, 'code=409'],
    ['code=503', 503, 'code=503'],
    ['code=abc', 200, undefined],
    ['code=101', 200, undefined],
    ['code=4040', 200, undefined],
    ['code', 200, undefined],
    ['xcode=404', 200, undefined],
    ['foo="code=404"', 200, undefined],
    ['code=404, example=no, dynamic', 404, 'code=404, dynamic=true'],
  ])('%s is answered %i with %s applied', async (prefer, status, applied) => {
    const { run } = await answered(preferring(prefer))
    expect([run.reply.status, run.reply.fields.get('preference-applied')]).toEqual([status, applied])
    expect(run.reply.fields.get('vary')).toBe('prefer')
  })

  test('of a status that is not described is not followed', async () => {
    const { status, fields } = await answered(preferring('code=500'), {}, { responses: { '200': {} } })
    expect([status, fields.has('preference-applied')]).toEqual([200, false])
  })

  test('is not asked for when the operator says so', async () => {
    const { status, fields } = await answered(preferring('code=404'), { prefer: false, status: 503 })
    expect([status, fields.has('preference-applied'), fields.has('vary')]).toEqual([503, false, false])
  })
})

describe('a delay', () => {
  afterEach(() => void vi.useRealTimers())

  function start(config: object, headers: Record<string, string> = {}) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const instance = setupPolicy(mock, config, testServices())
    const exchange = testExchange({ headers, route: { operation } })
    let isAnswered = false
    const answering = Promise.resolve(instance.request?.(exchange)).then((answer) => {
      isAnswered = true
      return answer
    })
    return { instance, exchange, answering, isAnswered: () => isAnswered }
  }

  test.each([
    [{ delayMilliseconds: 300 }, {}, 300],
    [{ delayMilliseconds: 300 }, { prefer: 'delay=200' }, 200],
    [{}, { prefer: 'delay=999999999' }, 60_000],
  ])('of %j with %j holds the answer %i ms', async (config, headers, delayMs) => {
    const { answering, isAnswered } = start(config, headers)
    await vi.advanceTimersByTimeAsync(delayMs - 1)
    expect(isAnswered()).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await answering).toMatchObject({ status: 200 })
  })

  test('is not granted to clients while many wait, and is again when they are gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const instance = setupPolicy(mock, {}, testServices())
    const ask = () => {
      const exchange = testExchange({ headers: { prefer: 'delay=60000' }, route: { operation } })
      return { exchange, answer: instance.request?.(exchange) }
    }
    const waiting = Array.from({ length: 500 }, ask)
    for (const { answer } of waiting) expect(answer).toBeInstanceOf(Promise)
    expect(ask().answer).toMatchObject({ status: 200 })
    for (const { exchange } of waiting) instance.close?.(exchange)
    expect(vi.getTimerCount()).toBe(0)
    expect(ask().answer).toBeInstanceOf(Promise)
  })

  test('does not outlive its client', async () => {
    const { instance, exchange, answering } = start({ delayMilliseconds: 300 })
    instance.close?.(exchange)
    expect(await answering).toMatchObject({ status: 200 })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('Accept', () => {
  const types = {
    'application/xml': { schema: book, example: '<book/>' },
    'application/json': { schema: book },
    'text/plain': { schema: { type: 'string' }, example: 'plain' },
  }
  const described = { responses: { '200': { content: types }, '404': { content: types } } }
  const typeOf = async (accept: string | undefined, of: JsonObject = described, prefer = ''): Promise<unknown> => {
    const headers = { prefer, ...(accept === undefined ? {} : { accept }) }
    const { run } = await answered({ headers }, {}, of)
    return codeOf(run) ?? run.reply.fields.get('content-type')
  }

  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/xml', 'application/xml'],
    ['text/*', 'text/plain'],
    ['application/xml;q=0.5, application/json;q=0.4', 'application/xml'],
    ['application/*, application/json;q=0', 'application/xml'],
    ['text/html, */*;q=0.1', 'application/json'],
    ['TEXT/PLAIN', 'text/plain'],
    ['nonsense, text/plain', 'text/plain'],
    ['image/png', 'mock.not_acceptable'],
  ])('%s gets %s', async (accept, type) => expect(await typeOf(accept)).toBe(type))

  test('does not keep a client from being told of a failure', async () => {
    expect(await typeOf('image/png', described, 'code=404')).toBe('application/json')
  })

  test('of types that are ranges or none gets concrete ones', async () => {
    const of = (type: string): JsonObject => ({ responses: { '200': { content: { [type]: { example: 'x' } } } } })
    const all = ['*/*', 'text/*', 'image/*', 'model/*', 'json', 'text/plain\r\nx: y']
    expect(await Promise.all(all.map((type) => typeOf(undefined, of(type))))).toEqual([
      'application/json',
      'text/plain',
      'image/png',
      'application/octet-stream',
      'application/octet-stream',
      'application/octet-stream',
    ])
  })

  test('of XML gets names, attributes and wrapped lists as the document has them', async () => {
    const schema = {
      type: 'object',
      xml: { name: 'book', namespace: 'urn:books' },
      required: ['id', 'title', 'tags', 'authors'],
      properties: {
        id: { const: 7, xml: { attribute: true } },
        title: { const: 'A & B' },
        tags: { const: ['x', 'y'], xml: { name: 'tag' } },
        authors: {
          type: 'array',
          minItems: 1,
          maxItems: 1,
          items: { const: 'Z', xml: { name: 'author' } },
          xml: { wrapped: true },
        },
      },
    }
    const { text } = await answered({}, {}, { responses: { '200': { content: { 'application/xml': { schema } } } } })
    expect(text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<book xmlns="urn:books" id="7"><title>A &amp; B</title><tag>x</tag><tag>y</tag><authors><author>Z</author></authors></book>',
    )
  })
})

describe('echo', () => {
  const request = { path: '/books/42', query: 'title=Ulysses&id=9&secret=s', parameters: { id: '42' } }
  const route = { operation, parameterNames: ['id'] }

  test('puts parameters into properties of the same name, the path before the query', async () => {
    expect((await answered({ ...request, route }, { echo: true })).body).toEqual({ id: 42, title: 'Ulysses' })
  })

  test('changes nothing where the value would not fulfil the schema, or nobody asked for it', async () => {
    const negative = await answered({ ...request, parameters: { id: '-1' }, route }, { echo: true })
    expect(negative.body.id).toBeGreaterThan(0)
    expect((await answered({ ...request, route })).body.id).not.toBe(42)
  })

  test('looks into what wraps the object, and not into lists', async () => {
    const schema = {
      type: 'object',
      required: ['data', 'list'],
      properties: { data: book, list: { type: 'array', minItems: 1, items: book } },
    }
    const { body } = await answered(
      { ...request, route: { ...route, operation: { responses: { '200': json(schema) } } } },
      { echo: true },
    )
    expect(body.data.id).toBe(42)
    expect(body.list[0].id).not.toBe(42)
  })
})

test.each(mock.examples)('example: $title', async ({ config }) => {
  expect(checkPolicy(mock, config)).toEqual([])
})

test('through a gateway: a whole document answers without an upstream', async () => {
  const spec = join(import.meta.dirname, '../../../../examples/bookshop/books.openapi.yaml')
  const gateway = await testGateway({
    api: { upstream: undefined, spec },
    document: { upstreams: [] },
    routes: [],
    policies: [{ kind: 'mock', config: { echo: true } }],
  })
  const one = await gateway.inject('GET /books/b-17')
  expect([one.status, JSON.parse(one.body)]).toEqual([
    200,
    expect.objectContaining({ id: 'b-17', title: expect.any(String), year: expect.any(Number) }),
  ])
  const missing = await gateway.inject('GET /books/b-17', { headers: { prefer: 'code=404' } })
  expect(missing).toMatchObject({ status: 404, headers: { 'preference-applied': 'code=404', vary: 'prefer' } })
  expect(await gateway.inject('POST /books')).toMatchObject({ status: 201 })
  expect((await gateway.inject('GET /books/events')).headers['content-type']).toBe('text/event-stream')
})
