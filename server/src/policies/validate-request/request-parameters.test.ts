import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../kernel/json.ts'
import { judge, judgeQuery } from '../../../test/judge-request.ts'

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
