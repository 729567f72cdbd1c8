import { Ajv2020 } from 'ajv/dist/2020.js'
import { stringify } from 'yaml'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { compileFiles, findIssues, type TestFiles } from '../../../test/test-config.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { definePolicy } from '../../kernel/policy.ts'
import { withSchemas, type RouteSpec } from '../../kernel/snapshot.ts'

/** A policy that works on operations, so that they are resolved. */
const reader = definePolicy({
  kind: 'reads-operations',
  title: 'Reads operations',
  summary: 'Works on the operation of a route.',
  stability: 'preview',
  config: z.strictObject({}),
  examples: [],
  problems: [],
  usesOperation: true,
  setup: () => ({}),
})

const config = (routes = ''): string => `headgate: 1
upstreams: [{ name: u, targets: [{ url: "http://127.0.0.1:9001" }] }]
apis:
  - name: books
    basePath: /shop
    upstream: u
    spec: spec.yaml
    policies: [{ kind: reads-operations }]
${routes}`

const options = { policies: [reader] }

function compile(spec: unknown, routes = '', more: TestFiles = {}): readonly RouteSpec[] {
  const text = typeof spec === 'string' ? spec : stringify(spec, { aliasDuplicateObjects: false })
  const { snapshot } = compileFiles({ 'headgate.yaml': config(routes), 'spec.yaml': text, ...more }, options)
  const schemas = snapshot.apis[0]?.schemas
  return snapshot.routes.map((route) => ({ ...route, operation: withSchemas(route.operation, schemas) }))
}

function refuse(spec: unknown, routes = '', more: TestFiles = {}): string[] {
  const text = typeof spec === 'string' ? spec : stringify(spec, { aliasDuplicateObjects: false })
  return findIssues({ 'headgate.yaml': config(routes), 'spec.yaml': text, ...more }, options)
}

function operationOf(routes: readonly RouteSpec[], name: string): JsonObject {
  const operation = routes.find((route) => route.name === name)?.operation
  if (operation === undefined) throw new Error(`no operation ${name}`)
  return operation
}

/** The schema of the JSON body of an operation, as a policy compiles it. */
function bodySchemaOf(operation: JsonObject): JsonObject {
  const at = (value: unknown, ...keys: string[]): unknown =>
    keys.reduce<unknown>(
      (found, key) => (typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined),
      value,
    )
  const schema = at(operation, 'requestBody', 'content', 'application/json', 'schema') as JsonObject
  return { ...schema, components: operation['components'] ?? {} }
}

const isValid = (operation: JsonObject, value: unknown): boolean =>
  new Ajv2020({ strict: false }).compile(bodySchemaOf(operation))(value)

const jsonBody = (schema: unknown): unknown => ({ content: { 'application/json': { schema } } })

describe('operations become routes', () => {
  const spec = {
    openapi: '3.1.0',
    paths: {
      '/books': { get: { operationId: 'list' }, post: {} },
      '/books/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        get: { operationId: 'one' },
      },
    },
  }

  test('with the public path, named by operationId or by method and path', () => {
    const facts = compile(spec).map(({ id, match, parameterNames }) => [id, match.methods, match.path, parameterNames])
    expect(facts).toEqual([
      ['books/1.0.0/list', ['GET'], '/shop/books', []],
      ['books/1.0.0/POST /books', ['POST'], '/shop/books', []],
      ['books/1.0.0/one', ['GET'], '/shop/books/{id}', ['id']],
    ])
  })

  test('and a route by hand of the same name adds to one, others stand beside them', () => {
    const routes = `    routes:
      - { name: list, match: { path: /books, headers: [{ name: x-beta }] }, timeouts: { totalSeconds: 1 } }
      - { name: extra, match: { path: /extra } }`
    const all = compile(spec, routes)
    expect(all.map(({ name }) => name)).toEqual(['list', 'POST /books', 'one', 'extra'])
    expect(all[0]?.match).toMatchObject({ methods: ['GET'], path: '/shop/books', headers: [{ name: 'x-beta' }] })
    expect(all[0]?.timeouts?.totalMs).toBe(1000)
    expect(all[3]?.operation).toBeUndefined()
  })

  test('and a route by hand cannot contradict its operation', () => {
    const routes = `    routes:
      - { name: list, match: { path: /book, methods: [PUT] } }`
    expect(refuse(spec, routes)).toEqual([
      'headgate.yaml:10:38: apis[0].routes[0].match.path: the operation of this name has the path /books. Leave `match.path` out, or rename the route.',
      'headgate.yaml:10:54: apis[0].routes[0].match.methods: the operation of this name has the method GET. Leave `match.methods` out, or rename the route.',
    ])
  })

  test('with the parameters of their path, which their own replace', () => {
    const parameters = [
      { name: 'id', in: 'path', schema: { type: 'string' } },
      { name: 'a', in: 'query' },
    ]
    const own = [{ name: 'a', in: 'query', required: true }]
    const routes = compile({
      openapi: '3.1.0',
      paths: { '/{id}': { parameters, get: { operationId: 'x', parameters: own } } },
    })
    expect(operationOf(routes, 'x')['parameters']).toEqual([parameters[0], own[0]])
  })
})

test('a reference inside an extension is data', () => {
  const extension = { source: { $ref: 'sample.curl' } }
  const operation = { operationId: 'a', 'x-samples': [extension], requestBody: jsonBody({ 'x-more': extension }) }
  const routes = compile({ openapi: '3.1.0', paths: { '/a': { post: operation } } })
  expect(operationOf(routes, 'a')).toMatchObject({ 'x-samples': [extension] })
})

test('schemas that operations share stand once in the snapshot, however many refer to them', () => {
  const texts = Array.from({ length: 400 }, (_, index) => [`p${index}`, { type: 'string' }])
  const properties = { ...Object.fromEntries(texts), v: { nullable: true, type: 'integer', description: 'a number' } }
  const requestBody = jsonBody({ $ref: '#/components/schemas/Big' })
  const operations = Array.from({ length: 20 }, (_, index) => [`/a${index}`, { post: { requestBody } }])
  const spec = {
    openapi: '3.0.3',
    paths: Object.fromEntries(operations),
    components: { schemas: { Big: { type: 'object', properties } } },
  }
  const { snapshot } = compileFiles({ 'headgate.yaml': config(), 'spec.yaml': stringify(spec) }, options)
  expect(snapshot.apis[0]?.schemas).toMatchObject({ Big: { properties: { v: { type: ['integer', 'null'] } } } })
  expect(JSON.stringify(snapshot.routes)).not.toContain('p399')
})

describe('references', () => {
  test('inside the document and to files beside it are resolved', () => {
    const spec = `openapi: 3.1.0
paths:
  /a: { $ref: "paths/a.yaml" }
components:
  parameters: { P: { name: p, in: query, schema: { $ref: "schemas.yaml#/$defs/Id" } } }
`
    const routes = compile(spec, '', {
      'paths/a.yaml': 'get: { operationId: a, parameters: [{ $ref: "../spec.yaml#/components/parameters/P" }] }',
      'schemas.yaml': '$defs: { Id: { type: string, maxLength: 3 } }',
    })
    expect(operationOf(routes, 'a')['parameters']).toEqual([
      { name: 'p', in: 'query', schema: { type: 'string', maxLength: 3 } },
    ])
  })

  test('in a circle stay references, and a validator can follow them', () => {
    const node = {
      type: 'object',
      required: ['v'],
      properties: { v: { type: 'integer' }, next: { $ref: '#/components/schemas/Node' } },
    }
    const routes = compile({
      openapi: '3.1.0',
      paths: { '/n': { post: { operationId: 'n', requestBody: jsonBody({ $ref: '#/components/schemas/Node' }) } } },
      components: { schemas: { Node: node } },
    })
    const operation = operationOf(routes, 'n')
    expect(isValid(operation, { v: 1, next: { v: 2, next: { v: 3 } } })).toBe(true)
    expect(isValid(operation, { v: 1, next: { v: 2, next: { v: 'x' } } })).toBe(false)
  })

  test('that would multiply without end are cut, and still mean the same', () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 30 }, (_, level) => [
        `S${level}`,
        level === 29
          ? { type: 'integer' }
          : {
              type: 'object',
              properties: Object.fromEntries(
                ['a', 'b', 'c'].map((key) => [key, { $ref: `#/components/schemas/S${level + 1}` }]),
              ),
            },
      ]),
    )
    const operation = operationOf(
      compile({
        openapi: '3.1.0',
        paths: { '/n': { post: { operationId: 'n', requestBody: jsonBody({ $ref: '#/components/schemas/S0' }) } } },
        components: { schemas },
      }),
      'n',
    )
    expect(JSON.stringify(operation).length).toBeLessThan(1_000_000)
    const nest = (leaf: unknown): unknown => Array.from({ length: 29 }).reduce((inner) => ({ c: inner }), leaf)
    expect(isValid(operation, nest(1))).toBe(true)
    expect(isValid(operation, nest('x'))).toBe(false)
  })

  test('in examples and in properties that are called $ref are left alone', () => {
    const properties = { $ref: { type: 'string' }, example: { $ref: '#/components/schemas/S' } }
    const schema = { type: 'object', properties, example: { $ref: '#/nowhere' } }
    const routes = compile({
      openapi: '3.1.0',
      paths: { '/n': { post: { operationId: 'n', requestBody: jsonBody(schema) } } },
      components: { schemas: { S: { type: 'integer' } } },
    })
    expect(bodySchemaOf(operationOf(routes, 'n'))).toMatchObject({
      properties: { $ref: { type: 'string' }, example: { type: 'integer' } },
      example: { $ref: '#/nowhere' },
    })
  })

  test('to examples of answers are resolved, and what stands in those is left alone', () => {
    const answer = { $ref: '#/components/schemas/no' }
    const routes = compile({
      openapi: '3.1.0',
      paths: {
        '/n': {
          get: {
            operationId: 'n',
            responses: {
              200: { content: { 'application/json': { examples: { one: { $ref: '#/components/examples/One' } } } } },
            },
          },
        },
      },
      components: { examples: { One: { value: answer } } },
    })
    expect(operationOf(routes, 'n')['responses']).toEqual({
      200: { content: { 'application/json': { examples: { one: { value: answer } } } } },
    })
  })

  test.each([
    ['https://example.com/schema.yaml', 'the reference leads to https://example.com/schema.yaml. Only files are read'],
    ['//example.com/schema.yaml', 'Only files are read'],
    ['file:///etc/passwd', 'Only files are read'],
    ['../outside.yaml', 'the reference ../outside.yaml leads out of the configuration'],
    ['/etc/passwd', 'the reference /etc/passwd leads out of the configuration'],
    ['sub/../../outside.yaml', 'leads out of the configuration'],
    ['missing.yaml', 'missing.yaml does not exist'],
    ['#/components/schemas/No', 'There is no `components` in #.'],
    ['#anchor', 'is not a JSON pointer'],
  ])('to %s are refused where the operation stands', (reference, message) => {
    const spec = { openapi: '3.1.0', paths: { '/n': { post: { operationId: 'n', requestBody: { $ref: reference } } } } }
    const [issue] = refuse(spec)
    expect(issue).toMatch(/^spec\.yaml:4:5: #\/paths\/~1n\/post: /)
    expect(issue).toContain(message)
  })

  test('of a path to itself are refused', () => {
    const spec = { openapi: '3.1.0', paths: { '/a': { $ref: '#/paths/~1b' }, '/b': { $ref: '#/paths/~1a' } } }
    expect(refuse(spec)[0]).toContain('the references of this path lead in a circle')
  })
})

describe('versions', () => {
  test('3.0 is given to policies in the terms of 3.1', () => {
    const schema = {
      type: 'object',
      properties: { n: { type: 'integer', nullable: true, minimum: 1, exclusiveMinimum: true } },
    }
    const routes = compile({
      openapi: '3.0.3',
      paths: { '/n': { post: { operationId: 'n', requestBody: jsonBody({ $ref: '#/components/schemas/S' }) } } },
      components: { schemas: { S: schema } },
    })
    const operation = operationOf(routes, 'n')
    expect([null, 1, 2].map((n) => isValid(operation, { n }))).toEqual([true, false, true])
  })

  test('Swagger 2.0 is upgraded', () => {
    const parameters = [
      { name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/S' } },
      { name: 'n', in: 'query', type: 'integer' },
    ]
    const operation = operationOf(
      compile({
        swagger: '2.0',
        consumes: ['application/json'],
        paths: { '/n': { post: { operationId: 'n', parameters } } },
        definitions: { S: { type: 'object', required: ['a'] } },
      }),
      'n',
    )
    expect(operation['parameters']).toEqual([{ name: 'n', in: 'query', schema: { type: 'integer' } }])
    expect([{}, { a: 1 }].map((value) => isValid(operation, value))).toEqual([false, true])
  })

  test.each([
    ['openapi: 2.5.0', '#/openapi: this version of OpenAPI is not known. Known: 3.0, 3.1 and Swagger 2.0.'],
    ['hello: world', '#/openapi: this is not an OpenAPI document. Known: 3.0, 3.1 and Swagger 2.0.'],
    ['[]', 'this is not an OpenAPI document'],
    ['swagger: "2.0"\npaths: [1]', ''],
  ])('%s is refused', (text, message) => expect(refuse(text)[0]).toContain(message))
})

describe('what cannot be routed is refused with its pointer', () => {
  test.each([
    ['/files/{name}{extension}', 'two parameters of `{name}{extension}` touch'],
    ['/files/{name', 'a brace of `{name` has no partner'],
    ['/files/{+path}', '`{+path}` names no parameter'],
    ['/a/../b', '`..` never matches: paths are normalised first'],
    ['books', 'the path "books" does not begin with a slash'],
  ])('%s', (path, message) => {
    const [issue] = refuse({ openapi: '3.1.0', paths: { [path]: { get: {} } } })
    expect(issue).toContain(`spec.yaml:3:3: #/paths/${path.replaceAll('/', '~1')}: ${message}`)
  })

  test('a misspelt method and a name that is given twice', () => {
    const paths = { '/a': { gte: {}, get: { operationId: 'x' }, put: 'no' }, '/b': { get: { operationId: 'x' } } }
    expect(refuse({ openapi: '3.1.0', paths })).toEqual([
      'spec.yaml:4:5: #/paths/~1a/gte: this key of a path is not known. Did you mean `get`?',
      'spec.yaml:7:5: #/paths/~1a/put: the operation is not a map of keys. Remove it.',
      'spec.yaml:9:5: #/paths/~1b/get: another operation has the name "x" (the other one stands at spec.yaml:5:5). An `operationId` names one operation only.',
    ])
  })

  test('a document that is not there, and one that is no YAML', () => {
    expect(findIssues({ 'headgate.yaml': config() }, options)).toEqual([
      'headgate.yaml:7:11: apis[0].spec: the OpenAPI document spec.yaml does not exist. The path is relative to the file that names it.',
    ])
    expect(refuse('a: [')[0]).toContain('spec.yaml:1:5: is not valid YAML')
  })
})
