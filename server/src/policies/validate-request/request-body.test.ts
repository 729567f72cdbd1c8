import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../kernel/json.ts'
import { Problem } from '../../kernel/problem.ts'
import { judge, judgeBody, json, withBody } from '../../../test/judge-request.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { runPolicy, setupPolicy, testServices } from '../../../test/test-services.ts'
import { validateRequest } from './validate-request.ts'

describe('a JSON body', () => {
  const book = {
    type: 'object',
    required: ['title'],
    properties: {
      title: { type: 'string', minLength: 1 },
      year: { type: ['integer', 'null'], exclusiveMinimum: 1400 },
    },
    additionalProperties: false,
  }

  test('that fits its schema passes, untouched', async () => {
    const exchange = testExchange({
      method: 'POST',
      headers: json,
      body: '{"title": "Emma", "year": null}',
      route: { operation: withBody(book) },
    })
    const before = exchange.request.body
    expect((await runPolicy(validateRequest, {}, exchange)).answer).toBeUndefined()
    expect(exchange.request.body).toBe(before)
  })

  test('is told all its errors with pointers, and no value is repeated', async () => {
    const value = { title: '', year: 'my secret', isbn: 1 }
    expect(await judgeBody(book, value)).toEqual([
      '/body/isbn is not known here',
      '/body/title must NOT have fewer than 1 characters',
      '/body/year must be integer or null',
    ])
    expect(await judgeBody(book, { year: 1400 })).toEqual(['/body/title is required', '/body/year must be > 1400'])
  })

  test('of which one thing is wrong says so in the detail', async () => {
    const { answer } = await runPolicy(
      validateRequest,
      {},
      testExchange({ method: 'POST', headers: json, body: '{}', route: { operation: withBody(book) } }),
    )
    expect(answer).toMatchObject({ definition: { status: 400 }, detail: '/body/title is required.' })
  })

  test('with more errors than an answer should carry is told twenty', async () => {
    const errors = await judgeBody(
      { type: 'array', items: { type: 'string' } },
      Array.from({ length: 50 }, () => 1),
    )
    expect(errors).toHaveLength(20)
  })

  test('tells how many errors it has, or that there are more than it tells', async () => {
    const detailOf = async (count: number): Promise<string | undefined> => {
      const body = JSON.stringify(Array.from({ length: count }, () => ({})))
      const names = Array.from({ length: 5 }, (_, at) => `name${at}`)
      const operation = withBody({ type: 'array', items: { required: names } })
      const exchange = testExchange({ method: 'POST', headers: json, body, route: { operation } })
      const { answer } = await runPolicy(validateRequest, {}, exchange)
      return answer instanceof Problem ? answer.detail : undefined
    }
    expect(await detailOf(4)).toBe('The request has 20 errors.')
    expect(await detailOf(5)).toBe('The request has more errors than these first 20.')
    expect(await detailOf(5_000)).toBe('The request has more errors than these first 20.')
  })

  test('that is large is told the first error only', async () => {
    const errors = await judgeBody(
      { type: 'array', items: { type: 'string' } },
      Array.from({ length: 50_000 }, () => 1),
    )
    expect(errors).toEqual(['/body/0 must be string'])
  })

  test('that is required must be there, and one that is not may be left out', async () => {
    const content = { 'application/json': { schema: book } }
    expect(await judge({ requestBody: { required: true, content } }, {})).toEqual(['/body is required'])
    expect(await judge({ requestBody: { required: true, content } }, { headers: json, body: '' })).toEqual([
      '/body is required',
    ])
    expect(await judge({ requestBody: { content } }, {})).toBe('ok')
  })

  test.each([
    ['{"title": "a",}', 'line 1, column 15: a name in quotes is missing.'],
    ['{"title":\n  oops}', 'line 2, column 3: a value is missing.'],
    ['{"title":"a","title":"b"}', 'line 1, column 14: a name stands twice in one object.'],
    [Buffer.from([0x22, 0xff, 0x22]), 'line 1, column 1: it is not UTF-8.'],
  ])('%s is refused with the place', async (body, place) => {
    expect(await judge(withBody(true), { headers: json, body })).toBe(
      `validate_request.malformed_json The body is no JSON at ${place}`,
    )
  })

  test('is refused when it is nested more deeply than allowed', async () => {
    expect(await judgeBody(true, [[[[1]]]], { maxDepth: 3 })).toContain('malformed_json')
    expect(await judgeBody(true, [[[1]]], { maxDepth: 3 })).toBe('ok')
  })

  test('is refused when it holds more than a thread should spend on one request', async () => {
    const members = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`n${at}`, at]))
    expect(await judgeBody(true, members)).toBe(
      'validate_request.too_complex The JSON body is too complex: it has more than 10000 names; those of objects that are alike count once.',
    )
    expect(await judgeBody(true, members, { maxNames: 10_001 })).toBe('ok')
    expect(
      await judgeBody(
        true,
        Array.from({ length: 200_000 }, () => 0),
      ),
    ).toContain('it has more than 200000 values')
    expect(await judgeBody(true, [1, 2, 3], { maxValues: 3 })).toContain('it has more than 3 values')
    const records = Array.from({ length: 30_000 }, (_, id) => ({ id, name: 'a', price: 1 }))
    expect(await judgeBody(true, records, { maxBodyBytes: 4_000_000 })).toBe('ok')
  })

  test('with a member called __proto__ is held against its schema like any other', async () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: false }
    expect(await judge(withBody(schema), { headers: json, body: '{"__proto__": {"a": "x"}}' })).toEqual([
      '/body/__proto__ is not known here',
    ])
  })

  test('may refer to schemas that contain themselves', async () => {
    const node = { type: 'object', required: ['name'], properties: { next: { $ref: '#/components/schemas/Node' } } }
    const operation = withBody({ $ref: '#/components/schemas/Node' }, { components: { schemas: { Node: node } } })
    const good = { name: 'a', next: { name: 'b', next: { name: 'c' } } }
    expect(await judge(operation, { headers: json, body: JSON.stringify(good) })).toBe('ok')
    expect(await judge(operation, { headers: json, body: '{"name":"a","next":{"name":"b","next":{}}}' })).toEqual([
      '/body/next/next/name is required',
    ])
  })

  test.each([
    ['date-time', '2026-01-01T00:00:00Z', '2026-01-01'],
    ['date', '2024-02-29', '2025-02-29'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123e4567'],
    ['email', 'a@example.com', 'a@'],
    ['ipv4', '192.0.2.1', '192.0.2.256'],
    ['uri', 'https://example.com/a', 'example'],
    ['url', 'https://example.com/a', 'example'],
    ['byte', 'YWJj', 'YWJ'],
    ['my-own-format', 'anything', undefined],
  ])('is held against the format %s', async (format, good, bad) => {
    const schema = { type: 'string', format }
    expect(await judgeBody(schema, good)).toBe('ok')
    if (bad !== undefined) expect(await judgeBody(schema, bad)).toEqual([`/body must match format "${format}"`])
  })

  test.each([
    [{ type: 'number', multipleOf: 0.1 }, 0.3, 0.35],
    [{ type: 'integer', format: 'int32' }, 2_147_483_647, 2_147_483_648],
    [
      { type: 'array', uniqueItems: true },
      [1, '1', { a: 1, b: 2 }, [1]],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, 1, 1.5],
    [{ if: { required: ['a'] }, else: { required: ['b'] } }, { b: 1 }, { c: 1 }],
    [{ type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'integer' } }, ['a', 1], ['a', 'b']],
    [{ dependentRequired: { a: ['b'] } }, { b: 1 }, { a: 1 }],
    [{ type: 'object', properties: { a: true }, unevaluatedProperties: false }, { a: 1 }, { b: 1 }],
    [{ type: 'string', pattern: '^\\p{Lu}.*\\d' }, 'Ärger1', 'Ärger'],
    [{ type: 'string', pattern: '^[a-z]{1,2048}$' }, 'a'.repeat(2048), 'a'.repeat(2049)],
    [{ patternProperties: { '^[a-z]+$': { type: 'integer' }, '^[A-Z]+$': true } }, { a: 1, A: 'x' }, { a: 'x' }],
    [{ const: { a: [1] } }, { a: [1] }, { a: [2] }],
    [{ items: { enum: [1, '2', null, { a: 1, b: [2] }] } }, [1, '2', null, { b: [2], a: 1 }], [2]],
    [{ enum: [{ a: 1, b: [2] }] }, { a: 1, b: [2] }, '{"a":1,"b":[2]}'],
    [{ enum: [0] }, -0, false],
  ])('%j is understood as JSON Schema 2020-12 does', async (schema, good, bad) => {
    expect(await judgeBody(schema, good)).toBe('ok')
    expect(await judgeBody(schema, bad)).not.toBe('ok')
  })

  test('with a hundred thousand items that must differ, or a text made to stall a pattern, takes no longer for it', async () => {
    const items = Array.from({ length: 100_000 }, (_, at) => ({ at }))
    expect(
      await judgeBody({ type: 'array', uniqueItems: true }, items, { maxBodyBytes: 4_000_000, maxValues: 300_000 }),
    ).toBe('ok')
    expect(await judgeBody({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(100_000)}!`)).toEqual([
      '/body must match pattern "^(a+)+$"',
    ])
  })

  test('is held against a list of fifty thousand values without comparing it with each', async () => {
    const list = { type: 'array', items: { enum: Array.from({ length: 50_000 }, (_, at) => `value ${at}`) } }
    const items = Array.from({ length: 75_000 }, () => 'value 49999')
    expect(await judgeBody(list, items, { maxBodyBytes: 4_000_000 })).toBe('ok')
    const errors = await judgeBody(
      list,
      Array.from({ length: 8_000 }, () => 0),
    )
    expect(errors).toHaveLength(20)
    expect(errors[0]).toMatch(/^\/body\/0 must be one of \["value 0","value 1",.*…$/)
  })

  test('pays for what has to be written out to be found in a list', async () => {
    const list = { anyOf: Array.from({ length: 50 }, (_, at) => ({ enum: [{ at }] })) }
    expect(await judgeBody(list, { at: 49 })).toBe('ok')
    expect(await judgeBody(list, { at: 'a'.repeat(100_000) })).toBe('validate_request.too_complex')
  })

  test('has one budget for all its patterns, and the next request a new one', async () => {
    const greedy = { type: 'array', items: { pattern: '^(?:[a-z]{1,20}){1,20}$' } }
    const text = 'a'.repeat(5000)
    expect(await judgeBody(greedy, [text, text])).toBe('validate_request.too_complex')
    const instance = setupPolicy(validateRequest, {}, testServices())
    for (let count = 0; count < 20; count++) {
      const content = Buffer.from(JSON.stringify([text.slice(0, 400), text.slice(0, 400)]))
      const exchange = testExchange({
        method: 'POST',
        headers: json,
        body: '[]',
        route: { operation: withBody(greedy) },
      })
      exchange.request.content = content
      expect(instance.request?.(exchange)).toBeUndefined()
    }
  })
})

describe('a schema that refers to itself from several alternatives', () => {
  const self = { $ref: '#/components/schemas/Filter' }
  const branch = (op: string): JsonObject => ({
    type: 'object',
    properties: { args: { type: 'array', items: self }, op: { const: op } },
  })
  const operation = withBody(self, {
    components: { schemas: { Filter: { oneOf: [branch('and'), branch('or'), { type: 'integer' }] } } },
  })
  const nest = (depth: number, op: string): string =>
    depth === 0 ? '1' : `{"args":[${nest(depth - 1, op)}],"op":"${op}"}`

  test('is applied to what people send', async () => {
    expect(await judge(operation, { headers: json, body: nest(5, 'or') })).toBe('ok')
    expect(await judge(operation, { headers: json, body: nest(1, 'xor') })).not.toBe('ok')
  })

  test('is given up on when a body makes the alternatives multiply', async () => {
    expect(await judge(operation, { headers: json, body: nest(30, 'xor') })).toBe('validate_request.too_complex')
  })
})

describe('read-only properties', () => {
  const id = { type: 'integer', readOnly: true }
  const schema = { type: 'object', required: ['id', 'name'], properties: { id, name: { type: 'string' } } }

  test('are not asked for in a request, and may be sent', async () => {
    expect(await judgeBody(schema, { name: 'a' })).toBe('ok')
    expect(await judgeBody(schema, { name: 'a', id: 1 })).toBe('ok')
    expect(await judgeBody(schema, { name: 'a', id: 'x' })).toEqual(['/body/id must be integer'])
  })

  test('are refused when the configuration says so', async () => {
    expect(await judgeBody(schema, { name: 'a', id: 1 }, { readOnlyProperties: 'refuse' })).toEqual([
      '/body/id must not be sent',
    ])
  })

  test('are known through references and parts of allOf', async () => {
    const operation = withBody(
      { allOf: [{ properties: { id: { $ref: '#/components/schemas/Id' } } }, { required: ['id', 'name'] }] },
      { components: { schemas: { Id: id } } },
    )
    expect(await judge(operation, { headers: json, body: '{"name":"a"}' })).toBe('ok')
  })
})

describe('the media type', () => {
  const operation = {
    requestBody: {
      content: { 'application/json': { schema: { type: 'object' } }, 'image/*': {}, 'text/csv; charset=utf-8': {} },
    },
  }

  test.each([
    ['application/json', '[]', ['/body must be object']],
    ['Application/JSON; charset=UTF-8', '{}', 'ok'],
    ['application/json; charset=latin1', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; charset="utf-8"', '{}', 'ok'],
    ['application/json; charset="utf\\-8"', '{}', 'ok'],
    ['application/json; v=1;; charset=utf-8', '{}', 'ok'],
    ['application/json; charset="utf-16"', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; charset="utf\\-16"', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; charset=utf-8; charset=utf-16', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; charset=utf-16; charset=utf-8', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; x="; charset=utf-8"; charset=utf-16', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; charset=utf-8 utf-16', '{}', 'validate_request.unsupported_media_type'],
    ['application/json; charset = utf-8', '{}', 'validate_request.unsupported_media_type'],
    ["application/json; charset='utf-16'", '{}', 'validate_request.unsupported_media_type'],
    ['application/json, text/csv', '{}', 'validate_request.unsupported_media_type'],
    ['image/png', '\u0000', 'ok'],
    ['text/csv', 'a,b', 'ok'],
    ['text/plain', 'a', 'validate_request.unsupported_media_type'],
    ['application/problem+json', '{}', 'validate_request.unsupported_media_type'],
    ['', '{}', 'validate_request.unsupported_media_type'],
  ])('%j with %j gives %j', async (type, body, outcome) => {
    expect(await judge(operation, { headers: type === '' ? {} : { 'content-type': type }, body })).toEqual(outcome)
  })

  test('that is refused comes with those that are accepted', async () => {
    const exchange = testExchange({ headers: { 'content-type': 'text/plain' }, body: 'a', route: { operation } })
    const { answer } = await runPolicy(validateRequest, {}, exchange)
    expect(answer).toMatchObject({
      definition: { status: 415 },
      headers: { accept: 'application/json, image/*, text/csv' },
    })
  })

  test('of JSON in another dress is held against the schema of its range', async () => {
    const merge = { requestBody: { content: { 'application/merge-patch+json': { schema: { type: 'object' } } } } }
    const headers = { 'content-type': 'application/merge-patch+json' }
    expect(await judge(merge, { headers, body: '[]' })).toEqual(['/body must be object'])
    const any = { requestBody: { content: { '*/*': { schema: { type: 'object' } } } } }
    expect(await judge(any, { headers: json, body: '[]' })).toEqual(['/body must be object'])
    expect(await judge(any, { headers: { 'content-type': 'text/plain' }, body: '[]' })).toBe('ok')
  })
})
