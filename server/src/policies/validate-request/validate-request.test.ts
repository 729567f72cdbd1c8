import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BodySource } from '../../kernel/body.ts'
import type { Exchange } from '../../kernel/exchange.ts'
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { Problem } from '../../kernel/problem.ts'
import { testExchange, testRoute, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy, setupPolicy, testClock, testServices } from '../../../test/test-services.ts'
import { validateRequest } from './validate-request.ts'

/** What the policy says of a request: `ok`, or the code and the errors as `pointer detail`. */
async function judge(
  operation: JsonObject,
  request: TestExchangeOptions,
  config: unknown = {},
): Promise<string | string[]> {
  const exchange = testExchange({ method: 'POST', ...request, route: { operation } })
  const { answer } = await runPolicy(validateRequest, config, exchange)
  if (answer === undefined) return 'ok'
  if (!(answer instanceof Problem)) throw new Error('The policy answered with a reply')
  if (answer.errors === undefined) return [answer.definition.code, answer.detail ?? ''].join(' ').trim()
  return answer.errors.map(({ pointer, detail }) => `${pointer} ${detail}`)
}

const json = { 'content-type': 'application/json' }

function withBody(schema: JsonValue, more: JsonObject = {}): JsonObject {
  return { requestBody: { required: true, content: { 'application/json': { schema } } }, ...more }
}

function judgeBody(schema: JsonValue, value: JsonValue, config: unknown = {}): Promise<string | string[]> {
  return judge(withBody(schema), { headers: json, body: JSON.stringify(value) }, config)
}

function judgeQuery(parameter: JsonObject, query: string, config: unknown = {}): Promise<string | string[]> {
  return judge({ parameters: [{ name: 'p', in: 'query', ...parameter }] }, { query }, config)
}

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

describe('parameters in the query', () => {
  const list = { type: 'array', items: { type: 'integer' } }
  const record = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'string' } },
    additionalProperties: false,
  }

  test.each<[JsonObject, string, string | string[]]>([
    [{ schema: { type: 'integer', maximum: 100 } }, 'p=20', 'ok'],
    [{ schema: { type: 'integer', maximum: 100 } }, 'p=200', ['/query/p must be <= 100']],
    [{ schema: { type: 'integer' } }, 'p=0x10', ['/query/p must be integer']],
    [{ schema: { type: 'integer' } }, 'p=1.5', ['/query/p must be integer']],
    [{ schema: { type: 'number' } }, 'p=Infinity', ['/query/p must be number']],
    [{ schema: { type: 'number' } }, 'p=1e999', ['/query/p must be number']],
    [{ schema: { type: 'number' } }, 'p=-1.5e3', 'ok'],
    [{ schema: { type: 'boolean' } }, 'p=true', 'ok'],
    [{ schema: { type: 'boolean' } }, 'p=1', ['/query/p must be boolean']],
    [{ schema: { type: ['integer', 'null'] } }, 'p=null', 'ok'],
    [{ schema: { type: 'string', enum: ['a', 'b'] } }, 'p=c', ['/query/p must be one of ["a","b"]']],
    [{ schema: { type: 'string' } }, 'p=12', 'ok'],
    [
      {
        schema: {
          anyOf: [
            { type: 'integer', minimum: 10 },
            { type: 'string', pattern: '^[1-9]$' },
          ],
        },
      },
      'p=5',
      'ok',
    ],
    [{ schema: { enum: [1, 2] } }, 'p=2', 'ok'],
    [{ schema: { const: 3 } }, 'p=2', ['/query/p must be 3']],
    [{ schema: { type: 'string' }, required: true }, 'q=1', ['/query/p is required']],
    [{ schema: { type: 'string' } }, 'p=a&p=b', ['/query/p must be given once']],
    [{ schema: { type: 'string' } }, '%70=a&p=b', ['/query/p must be given once']],
    [{ schema: { type: 'string', pattern: '^a b$' } }, 'p=a+b', 'ok'],
    [{ schema: { type: 'string' } }, 'p=%FF', ['/query/p must be percent-encoded UTF-8']],
    [{ schema: { type: 'integer' } }, 'p=', ['/query/p must be integer']],
    [{ schema: { type: 'integer' }, allowEmptyValue: true }, 'p=', 'ok'],
    [{ schema: { type: 'integer' }, allowEmptyValue: true }, 'p', 'ok'],
    [{ schema: list }, 'p=1&p=2', 'ok'],
    [{ schema: list }, 'p=1&p=x', ['/query/p/1 must be integer']],
    [{ schema: list, explode: false }, 'p=1,2', 'ok'],
    [{ schema: { ...list, minItems: 1 }, explode: false }, 'p=', ['/query/p must NOT have fewer than 1 items']],
    [{ schema: { type: 'array', items: { type: 'string' }, maxItems: 2 }, explode: false }, 'p=a%2Cb,c', 'ok'],
    [{ schema: list, style: 'pipeDelimited', explode: false }, 'p=1|2%7C3', 'ok'],
    [{ schema: list, style: 'spaceDelimited', explode: false }, 'p=1%202+3', 'ok'],
    [{ schema: list, style: 'spaceDelimited', explode: false }, 'p=1,2', ['/query/p/0 must be integer']],
    [{ schema: record }, 'a=1&b=2', 'ok'],
    [{ schema: record }, 'a=x', ['/query/p/a must be integer']],
    [{ schema: record, explode: false }, 'p=a,1,b,2', 'ok'],
    [{ schema: record, explode: false }, 'p=a,1,b', ['/query/p must be names and values in turn']],
    [{ schema: record, style: 'deepObject' }, 'p[a]=1&p%5Bb%5D=2', 'ok'],
    [{ schema: record, style: 'deepObject' }, 'p[a]=x', ['/query/p/a must be integer']],
    [{ schema: record, style: 'deepObject' }, 'p[c]=1', ['/query/p/c is not known here']],
    [{ schema: record, style: 'deepObject' }, 'p[a][b]=1', ['/query/p must be written as p[member], one level deep']],
    [{ schema: { type: 'object', properties: { a: list } }, style: 'deepObject' }, 'p[a][]=1&p[a][]=2', 'ok'],
    [{ content: { 'application/json': { schema: record } } }, 'p=%7B%22a%22%3A1%7D', 'ok'],
    [{ content: { 'application/json': { schema: record } } }, 'p={"a":"x"}', ['/query/p/a must be integer']],
    [
      { content: { 'application/json': { schema: record } } },
      'p={',
      ['/query/p must be JSON: the text ends too early'],
    ],
  ])('%j: %s gives %j', async (parameter, query, outcome) => {
    expect(await judgeQuery(parameter, query)).toEqual(outcome)
  })

  test('that the operation does not have pass, unless they are refused', async () => {
    const strict = { unknownQueryParameters: 'refuse' }
    expect(await judgeQuery({ schema: { type: 'string' } }, 'p=1&q=2')).toBe('ok')
    expect(await judgeQuery({ schema: { type: 'string' } }, 'p=1&q=2&q=3&a/b', strict)).toEqual([
      '/query/q is not known here',
      '/query/a~1b is not known here',
    ])
    expect(await judgeQuery({ schema: record, style: 'deepObject' }, 'p[a]=1', strict)).toBe('ok')
    expect(await judgeQuery({ schema: record }, 'a=1&c=1', strict)).toEqual(['/query/c is not known here'])
  })
})

describe('parameters elsewhere', () => {
  function operationWith(place: string, parameter: JsonObject): JsonObject {
    return { parameters: [{ name: 'X-P', in: place, ...parameter }] }
  }
  const list = { type: 'array', items: { type: 'integer' } }
  const record = { type: 'object', properties: { a: { type: 'integer' } } }

  test.each<[JsonObject, string, string | string[]]>([
    [{ schema: { type: 'integer' } }, '7', 'ok'],
    [{ schema: { type: 'integer' } }, 'x', ['/path/X-P must be integer']],
    [{ schema: list }, '1,2', 'ok'],
    [{ schema: list, style: 'label' }, '.1,2', 'ok'],
    [{ schema: list, style: 'label', explode: true }, '.1.2', 'ok'],
    [{ schema: list, style: 'label' }, '1,2', ['/path/X-P must begin with .']],
    [{ schema: list, style: 'matrix' }, ';X-P=1,2', 'ok'],
    [{ schema: list, style: 'matrix', explode: true }, ';X-P=1;X-P=2', 'ok'],
    [{ schema: record, style: 'matrix', explode: true }, ';a=1', 'ok'],
    [{ schema: record, style: 'matrix', explode: true }, ';a=x', ['/path/X-P/a must be integer']],
    [{ schema: record, explode: true }, 'a=1', 'ok'],
    [{ schema: record }, 'a,x', ['/path/X-P/a must be integer']],
  ])('path %j: %s gives %j', async (parameter, text, outcome) => {
    expect(await judge(operationWith('path', parameter), { parameters: { 'X-P': text } })).toEqual(outcome)
  })

  test.each<[JsonObject, Record<string, string | string[]>, string | string[]]>([
    [{ schema: { type: 'integer' } }, { 'x-p': '7' }, 'ok'],
    [{ schema: { type: 'integer' } }, { 'x-p': 'x' }, ['/header/X-P must be integer']],
    [{ schema: { type: 'integer' }, required: true }, {}, ['/header/X-P is required']],
    [{ schema: list }, { 'x-p': ['1, 2', '3'] }, 'ok'],
    [{ schema: { type: 'integer' } }, { 'x-p': ['1', '2'] }, ['/header/X-P must be integer']],
  ])('header %j: %j gives %j', async (parameter, headers, outcome) => {
    expect(await judge(operationWith('header', parameter), { headers })).toEqual(outcome)
  })

  test('header fields that OpenAPI describes elsewhere are left alone', async () => {
    const operation = {
      parameters: [{ name: 'Authorization', in: 'header', required: true, schema: { type: 'integer' } }],
    }
    expect(await judge(operation, {})).toBe('ok')
  })

  test.each<[JsonObject, string | string[], string | string[]]>([
    [{ schema: { type: 'integer' } }, 'a=1; X-P=7; b=2', 'ok'],
    [{ schema: { type: 'integer' } }, ['a=1', 'X-P=x'], ['/cookie/X-P must be integer']],
    [{ schema: { type: 'string', pattern: '^a\\+b=$' } }, 'X-P=a+b=', 'ok'],
    [{ schema: list }, 'X-P=1,2', 'ok'],
    [{ schema: { type: 'integer' }, required: true }, 'X-Q=1', ['/cookie/X-P is required']],
  ])('cookie %j: %j gives %j', async (parameter, cookie, outcome) => {
    expect(await judge(operationWith('cookie', parameter), { headers: { cookie } })).toEqual(outcome)
  })
})

describe('which requests are read', () => {
  const instance = setupPolicy(validateRequest, {}, testServices())
  const operation = withBody({ type: 'object' })
  const stream = (bodyBytes?: number): BodySource => ({
    bodyBytes,
    flow: () => undefined,
    resume: () => undefined,
    cancel: () => undefined,
  })
  const wants = (options: TestExchangeOptions): boolean | undefined =>
    instance.requestBody?.wants?.(testExchange({ route: { operation }, ...options }))

  test('JSON bodies that the operation describes are, all others stream', () => {
    expect(wants({ headers: json, body: stream() })).toBe(true)
    expect(wants({ headers: json })).toBe(false)
    expect(wants({ headers: json, body: stream(0) })).toBe(false)
    expect(wants({ headers: { 'content-type': 'video/mp4' }, body: stream() })).toBe(false)
    expect(wants({ headers: json, body: stream(), route: { operation: {} } })).toBe(false)
    expect(wants({ headers: json, body: stream(), route: { operation: undefined } })).toBe(false)
  })

  test('a route without an operation lets everything pass', async () => {
    const { answer } = await runPolicy(validateRequest, {}, testExchange({ query: 'anything' }))
    expect(answer).toBeUndefined()
  })
})

describe('report mode', () => {
  const operation = withBody({ type: 'object', required: ['a'] })
  const wrong = (): Exchange => testExchange({ method: 'POST', headers: json, body: '{}', route: { operation } })

  test('lets the request pass, notes what it would have said, and logs a line in ten seconds', async () => {
    const clock = testClock()
    const services = testServices({ clock })
    const instance = setupPolicy(validateRequest, { mode: 'report' }, services)
    const run = (): unknown => {
      const exchange = wrong()
      exchange.decisions = []
      exchange.request.content = exchange.request.body instanceof Uint8Array ? exchange.request.body : undefined
      expect(instance.request?.(exchange)).toBeUndefined()
      return exchange.decisions
    }
    expect(run()).toEqual([
      {
        policy: 'apis/books/policies/0',
        phase: 'request',
        decision: 'passed',
        detail: 'would refuse: validate_request.invalid /body/a is required.',
      },
    ])
    run()
    run()
    expect(services.warnings).toHaveLength(1)
    clock.advance(10_000)
    run()
    expect(services.warnings.map(({ facts }) => facts['unlogged'])).toEqual([0, 2])
    expect(services.warnings[0]?.facts).toMatchObject({ route: 'books/1.0.0/list', code: 'validate_request.invalid' })
  })

  test('reads no body that could not be read: of unknown or too great length, or encoded', () => {
    const { requestBody } = setupPolicy(validateRequest, { mode: 'report', maxBodyBytes: 2 }, testServices())
    const wants = (options: TestExchangeOptions): boolean | undefined =>
      requestBody?.wants?.(testExchange({ headers: json, route: { operation }, ...options }))
    expect(wants({ body: '{}' })).toBe(true)
    expect(wants({ body: '{ }' })).toBe(false)
    expect(wants({ body: '{}', headers: { ...json, 'content-encoding': 'gzip' } })).toBe(false)
  })
})

describe('an operation that cannot be validated is refused with the place', () => {
  const loop = {
    schemas: { A: { $ref: '#/components/schemas/B' }, B: { allOf: [{ $ref: '#/components/schemas/A' }] } },
  }

  test.each<[JsonObject, string]>([
    [
      withBody({ type: 'strin' }),
      '/requestBody/content/application~1json/schema/type must be equal to one of the allowed values',
    ],
    [
      withBody({ properties: { a: { minlength: 1 } } }),
      '/requestBody/content/application~1json/schema/properties/a/minlength is no keyword',
    ],
    [withBody({ nullable: true }), '/requestBody/content/application~1json/schema/nullable is no keyword'],
    [withBody({ required: true }), '/requestBody/content/application~1json/schema/required must be array'],
    [withBody({ enum: [] }), '/requestBody/content/application~1json/schema/enum allows no value at all'],
    [
      withBody({ pattern: '(' }),
      '/requestBody/content/application~1json/schema/pattern cannot be used: Invalid regular expression: /(/: Unterminated group',
    ],
    [
      withBody({ pattern: '(a)\\1' }),
      '/requestBody/content/application~1json/schema/pattern cannot be used: a back reference cannot be matched',
    ],
    [
      withBody({ patternProperties: { '(?!a)': true } }),
      '/requestBody/content/application~1json/schema/patternProperties/(?!a) cannot be used: look-around cannot be matched',
    ],
    [
      withBody({ patternProperties: { '[': true } }),
      '/requestBody/content/application~1json/schema/patternProperties/[ cannot be used: Invalid',
    ],
    [withBody({ items: [{}] }), '/requestBody/content/application~1json/schema/items is no schema'],
    [
      withBody({ $ref: '#/components/schemas/Nothing' }),
      '/requestBody/content/application~1json/schema/$ref leads to no schema',
    ],
    [withBody(true, { components: loop }), '/components/schemas/A refers to itself without end'],
    [{ parameters: [{ in: 'query' }] }, '/parameters/0 is no parameter'],
    [{ parameters: [{ name: 'a', in: 'path', style: 'form' }] }, '/parameters/0/style cannot be used in the path'],
    [{ parameters: [{ name: 'a', in: 'query', schema: { type: 'int' } }] }, '/parameters/0/schema/type must be equal'],
  ])('%j', (operation, message) => {
    const found = checkPolicy(validateRequest, {}, [testRoute({ operation })])
    expect(found.join('\n')).toContain(`cannot validate requests of books/1.0.0/list: ${message}`)
  })

  test('unless its keywords without meaning are to be ignored', () => {
    const operation = withBody({ nullable: true, 'x-mine': 1, example: {} })
    expect(checkPolicy(validateRequest, { unknownKeywords: 'ignore' }, [testRoute({ operation })])).toEqual([])
  })

  test('what only describes is no flaw', () => {
    const operation = withBody({
      title: 't',
      description: 'd',
      example: 1,
      deprecated: true,
      discriminator: { propertyName: 'a' },
      'x-mine': {},
    })
    expect(checkPolicy(validateRequest, {}, [testRoute({ operation })])).toEqual([])
  })

  test('with many flaws says the first twenty', () => {
    const properties = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`p${at}`, { typo: 1 }]))
    expect(checkPolicy(validateRequest, {}, [testRoute({ operation: withBody({ properties }) })])).toHaveLength(20)
  })
})

test.each(validateRequest.examples)('example: $title', async ({ config }) => {
  const operation = { parameters: [{ name: 'a', in: 'query', schema: { type: 'integer' } }] }
  expect(checkPolicy(validateRequest, config, [testRoute({ operation })])).toEqual([])
  expect(await judge(operation, { query: 'a=1' }, config)).toBe('ok')
})

describe('through a gateway, from a document of OpenAPI 3.0', () => {
  const node = {
    type: 'object',
    required: ['name', 'id'],
    properties: {
      id: { type: 'integer', readOnly: true },
      name: { type: 'string' },
      weight: { type: 'number', minimum: 0, exclusiveMinimum: true, nullable: true },
      next: { $ref: '#/components/schemas/Node' },
    },
  }
  const document = {
    openapi: '3.0.3',
    info: { title: 'Nodes', version: '1' },
    paths: {
      '/nodes/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        put: {
          parameters: [
            {
              name: 'tags',
              in: 'query',
              style: 'pipeDelimited',
              explode: false,
              schema: { type: 'array', maxItems: 2 },
            },
          ],
          requestBody: {
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Node' } }, 'image/png': {} },
          },
          responses: {},
        },
      },
    },
    components: { schemas: { Node: node } },
  }

  function writeDocument(): string {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-openapi-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'nodes.openapi.json')
    writeFileSync(path, JSON.stringify(document))
    return path
  }

  test('parameters and bodies are validated, and what passes reaches the upstream as it was sent', async () => {
    const policies = [{ kind: 'validate-request', config: { maxBodyBytes: 100 } }]
    const gateway = await testGateway({ policies, routes: [], api: { spec: writeDocument() } })
    const put = async (path: string, body: string | Buffer, type = 'application/json'): Promise<unknown> => {
      const { status, body: answer } = await gateway.inject(`PUT ${path}`, { body, headers: { 'content-type': type } })
      const problem: { code?: string; errors?: readonly { pointer: string }[] } =
        status === 200 ? {} : JSON.parse(answer)
      return problem.errors === undefined
        ? [status, problem.code]
        : [status, ...problem.errors.map(({ pointer }) => pointer)]
    }
    expect(await put('/nodes/7?tags=a|b', '{"name": "a", "weight": null,\n "next": {"name": "b"}}')).toEqual([
      200,
      undefined,
    ])
    expect(await put('/nodes/x?tags=a|b|c', '{"weight": 0, "next": {}}')).toEqual([
      400,
      '/path/id',
      '/query/tags',
      '/body/name',
      '/body/weight',
      '/body/next/name',
    ])
    expect(await put('/nodes/7', '{"name": "a"')).toEqual([400, 'validate_request.malformed_json'])
    expect(await put('/nodes/7', 'a', 'text/plain')).toEqual([415, 'validate_request.unsupported_media_type'])
    expect(await put('/nodes/7', `{"name": "${'a'.repeat(100)}"}`)).toEqual([413, 'request.content_too_large'])
    expect(await put('/nodes/7', Buffer.alloc(1000), 'image/png')).toEqual([200, undefined])
    expect(gateway.seen.map(({ body }) => body.length)).toEqual([53, 1000])
    expect(gateway.seen[0]?.body).toBe('{"name": "a", "weight": null,\n "next": {"name": "b"}}')
  })
})
