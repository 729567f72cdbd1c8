import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BodySource } from '../../kernel/body.ts'
import type { Exchange } from '../../kernel/exchange.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { judge, json, withBody } from '../../../test/judge-request.ts'
import { testExchange, testRoute, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy, setupPolicy, testClock, testServices } from '../../../test/test-services.ts'
import { validateRequest } from './validate-request.ts'

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
    [
      withBody({ $ref: '#/components/schemas/A' }, { components: loop }),
      '/components/schemas/A refers to itself without end',
    ],
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
