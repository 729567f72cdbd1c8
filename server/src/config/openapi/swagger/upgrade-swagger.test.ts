import { describe, expect, test } from 'vitest'
import { childOf } from '../../findings.ts'
import { upgradeSwagger } from './upgrade-swagger.ts'

/** What stands under `keys` in the upgraded document. */
function upgraded(document: Record<string, unknown>, ...keys: string[]): unknown {
  return keys.reduce<unknown>(childOf, upgradeSwagger({ swagger: '2.0', ...document }))
}

function operation(value: Record<string, unknown>, around: Record<string, unknown> = {}): unknown {
  return upgraded({ paths: { '/a': { post: value } }, ...around }, 'paths', '/a', 'post')
}

describe('servers', () => {
  test.each([
    [
      { host: 'a.example.com', basePath: '/v1', schemes: ['https', 'http'] },
      ['https://a.example.com/v1', 'http://a.example.com/v1'],
    ],
    [{ host: 'a.example.com', basePath: '/' }, ['//a.example.com']],
    [{ host: 'a.example.com', schemes: ['wss', 'https'] }, ['https://a.example.com']],
    [{ basePath: '/v1', schemes: ['https'] }, ['/v1']],
    [{}, undefined],
  ])('%j', (document, urls) => {
    expect(upgraded(document, 'servers')).toEqual(urls?.map((url) => ({ url })))
  })

  test('of an operation with schemes of its own', () => {
    expect(operation({ schemes: ['http'] }, { host: 'a', schemes: ['https'] })).toEqual({
      servers: [{ url: 'http://a' }],
    })
  })
})

describe('parameters', () => {
  const parameter = (value: Record<string, unknown>): unknown =>
    childOf(childOf(operation({ parameters: [value] }), 'parameters'), 0)

  test('keep what they say about themselves and put the rest into a schema', () => {
    const given = { name: 'q', in: 'query', description: 'd', required: true, allowEmptyValue: true, 'x-own': 1 }
    const shape = { type: 'string', format: 'date', enum: ['a'], default: 'a', pattern: '^a$', maxLength: 3 }
    expect(parameter({ ...given, ...shape, 'x-nullable': true })).toEqual({
      ...given,
      schema: { ...shape, nullable: true },
    })
  })

  test('of the path are required whatever they say', () => {
    expect(parameter({ name: 'id', in: 'path', type: 'integer' })).toEqual({
      name: 'id',
      in: 'path',
      required: true,
      schema: { type: 'integer' },
    })
  })

  test.each([
    ['query', undefined, { style: 'form', explode: false }],
    ['query', 'csv', { style: 'form', explode: false }],
    ['query', 'ssv', { style: 'spaceDelimited', explode: false }],
    ['query', 'pipes', { style: 'pipeDelimited', explode: false }],
    ['query', 'multi', { style: 'form', explode: true }],
    ['header', 'csv', {}],
    ['path', undefined, { required: true }],
  ])('lists in the %s as %s', (place, collectionFormat, style) => {
    const items = { type: 'string', collectionFormat: 'csv' }
    expect(parameter({ name: 'l', in: place, type: 'array', items, collectionFormat })).toEqual({
      name: 'l',
      in: place,
      ...style,
      schema: { type: 'array', items: { type: 'string' } },
    })
  })

  test('of the document are components, bodies among them apart', () => {
    const parameters = {
      Limit: { name: 'limit', in: 'query', type: 'integer' },
      Pet: { name: 'pet', in: 'body', schema: { $ref: '#/definitions/Pet' } },
      File: { name: 'file', in: 'formData', type: 'file' },
    }
    expect(upgraded({ parameters }, 'components')).toEqual({
      parameters: { Limit: { name: 'limit', in: 'query', schema: { type: 'integer' } } },
      requestBodies: { Pet: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } } } },
    })
    expect(operation({ parameters: [{ $ref: '#/parameters/Limit' }] }, { parameters })).toEqual({
      parameters: [{ $ref: '#/components/parameters/Limit' }],
    })
  })
})

describe('bodies', () => {
  const pet = { schema: { $ref: '#/components/schemas/Pet' } }
  const body = { name: 'pet', in: 'body', required: true, description: 'd', schema: { $ref: '#/definitions/Pet' } }

  test('have the media types that the operation consumes, or else the document', () => {
    const requestBody = { required: true, description: 'd', content: { 'text/xml': pet } }
    expect(operation({ parameters: [body], consumes: ['text/xml'] }, { consumes: ['a/b'] })).toEqual({
      parameters: [],
      requestBody,
    })
    expect(operation({ parameters: [body] }, { consumes: ['text/xml'] })).toEqual({ parameters: [], requestBody })
  })

  test('are found behind a reference, and in the path around the operation', () => {
    const requestBody = { required: true, description: 'd', content: { 'application/json': pet } }
    expect(operation({ parameters: [{ $ref: '#/parameters/Pet' }] }, { parameters: { Pet: body } })).toEqual({
      parameters: [],
      requestBody,
    })
    const paths = { '/a': { parameters: [{ $ref: '#/parameters/Pet' }, { name: 'q', in: 'query' }], put: {} } }
    expect(upgraded({ paths, parameters: { Pet: body } }, 'paths', '/a')).toEqual({
      parameters: [{ name: 'q', in: 'query', schema: {} }],
      put: { requestBody },
    })
  })

  test('are made of form parameters together', () => {
    const parameters = [
      { name: 'title', in: 'formData', type: 'string', required: true, description: 'd' },
      { name: 'tags', in: 'formData', type: 'array', items: { type: 'string' }, collectionFormat: 'multi' },
    ]
    const schema = {
      type: 'object',
      properties: {
        title: { type: 'string', description: 'd' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['title'],
    }
    const content = { schema, encoding: { tags: { style: 'form', explode: true } } }
    expect(operation({ parameters })).toEqual({
      parameters: [],
      requestBody: { required: true, content: { 'application/x-www-form-urlencoded': content } },
    })
  })

  test('with a file are multipart, even when the document says otherwise', () => {
    const parameters = [{ name: 'f', in: 'formData', type: 'file' }]
    const schema = { type: 'object', properties: { f: { type: 'string', format: 'binary' } } }
    expect(operation({ parameters, consumes: ['application/x-www-form-urlencoded'] })).toEqual({
      parameters: [],
      requestBody: { content: { 'multipart/form-data': { schema } } },
    })
  })
})

describe('responses', () => {
  const response = (value: unknown, around: Record<string, unknown> = {}): unknown =>
    childOf(childOf(operation({ responses: { 200: value } }, around), 'responses'), '200')

  test('have the media types that are produced, and examples by theirs', () => {
    const schema = { type: 'string' }
    expect(response({ description: 'd', schema }, { produces: ['text/plain', 'text/csv'] })).toEqual({
      description: 'd',
      content: { 'text/plain': { schema }, 'text/csv': { schema } },
    })
    expect(response({ schema, examples: { 'application/json': 'x', 'text/html': 'y' } })).toEqual({
      description: '',
      content: { 'application/json': { schema, example: 'x' }, 'text/html': { schema, example: 'y' } },
    })
    expect(response({ description: 'none' })).toEqual({ description: 'none' })
  })

  test('keep their headers, and are found behind references', () => {
    const headers = { 'X-Left': { type: 'integer', description: 'left' } }
    const upgradedHeaders = { 'X-Left': { description: 'left', schema: { type: 'integer' } } }
    expect(response({ description: '', headers })).toEqual({ description: '', headers: upgradedHeaders })
    expect(response({ $ref: '#/responses/No' })).toEqual({ $ref: '#/components/responses/No' })
    expect(upgraded({ responses: { No: { description: 'no' } } }, 'components')).toEqual({
      responses: { No: { description: 'no' } },
    })
  })
})

describe('schemas', () => {
  const schema = (value: unknown): unknown => upgraded({ definitions: { S: value } }, 'components', 'schemas', 'S')

  test.each([
    [{ $ref: '#/definitions/A~1B' }, { $ref: '#/components/schemas/A~1B' }],
    [{ discriminator: 'kind' }, { discriminator: { propertyName: 'kind' } }],
    [
      { type: 'string', 'x-nullable': true },
      { type: 'string', nullable: true },
    ],
    [{ type: ['string', 'null'] }, { type: 'string', nullable: true }],
    [{ type: 'file' }, { type: 'string', format: 'binary' }],
    [
      { properties: { discriminator: { type: 'file' }, $ref: { type: 'string' } } },
      { properties: { discriminator: { type: 'string', format: 'binary' }, $ref: { type: 'string' } } },
    ],
    [
      { allOf: [{ $ref: '#/definitions/A' }], items: { $ref: '#/definitions/B' } },
      { allOf: [{ $ref: '#/components/schemas/A' }], items: { $ref: '#/components/schemas/B' } },
    ],
    [
      { additionalProperties: { $ref: '#/definitions/A' }, example: { $ref: '#/definitions/A', type: 'file' } },
      { additionalProperties: { $ref: '#/components/schemas/A' }, example: { $ref: '#/definitions/A', type: 'file' } },
    ],
    [
      { additionalProperties: false, enum: [{ type: 'file' }] },
      { additionalProperties: false, enum: [{ type: 'file' }] },
    ],
  ])('%j', (given, wanted) => expect(schema(given)).toEqual(wanted))
})

describe('security', () => {
  test.each([
    [
      { type: 'basic', description: 'd' },
      { type: 'http', scheme: 'basic', description: 'd' },
    ],
    [
      { type: 'apiKey', in: 'query', name: 'k' },
      { type: 'apiKey', in: 'query', name: 'k' },
    ],
    [
      {
        type: 'oauth2',
        flow: 'accessCode',
        authorizationUrl: 'https://a',
        tokenUrl: 'https://t',
        scopes: { r: 'read' },
      },
      {
        type: 'oauth2',
        flows: { authorizationCode: { authorizationUrl: 'https://a', tokenUrl: 'https://t', scopes: { r: 'read' } } },
      },
    ],
    [
      { type: 'oauth2', flow: 'application', tokenUrl: 'https://t' },
      { type: 'oauth2', flows: { clientCredentials: { tokenUrl: 'https://t', scopes: {} } } },
    ],
  ])('%j', (given, wanted) => {
    expect(upgraded({ securityDefinitions: { s: given } }, 'components', 'securitySchemes', 's')).toEqual(wanted)
  })
})

describe('whatever stands in a document', () => {
  test('what is the same in both versions stays, and the document itself is not touched', () => {
    const document = {
      swagger: '2.0',
      info: { title: 't' },
      tags: [{ name: 'a' }],
      paths: {},
      'x-own': 1,
      security: [],
    }
    const before = structuredClone(document)
    const { swagger: _, ...rest } = document
    expect(upgradeSwagger(document)).toEqual({ openapi: '3.0.3', ...rest, components: {} })
    expect(document).toEqual(before)
  })

  test.each([
    { paths: [1] },
    { paths: { '/a': null, '/b': 1, '/c': { get: 'x', parameters: 'x' }, 'x-own': { get: 1 } } },
    { paths: { '/a': { get: { parameters: [null, 1, {}, { in: 'body' }, { in: 'formData' }], responses: [1] } } } },
    { paths: { '/a': { get: { responses: { 200: null, default: { schema: 1, headers: [], examples: 'x' } } } } } },
    { definitions: 'x', parameters: [], responses: 1, securityDefinitions: { a: null, b: { type: 'oauth2' } } },
    { host: 1, basePath: {}, schemes: 'https', consumes: 'a', produces: [1] },
    { definitions: { ['__proto__']: { type: 'string' }, constructor: { type: 'file' } } },
  ])('%j goes through without harm', (document) => {
    expect(upgradeSwagger({ swagger: '2.0', ...document })).toHaveProperty('openapi', '3.0.3')
  })
})
