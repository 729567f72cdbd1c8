import { describe, expect, test } from 'vitest'
import { builtInRuleset, lintDocument } from './lint-document.ts'
import { lintRules } from './rules.ts'

type Json = Readonly<Record<string, unknown>>

/** Keeps every rule. */
const good = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1', description: 'Books.', contact: { name: 'Us' } },
  servers: [{ url: 'https://api.example.com' }],
  tags: [{ name: 'books' }],
  security: [{ key: [] }],
  paths: {
    '/books/{id}': {
      get: {
        operationId: 'getBook',
        summary: 'Shows a book.',
        tags: ['books'],
        parameters: [
          {
            name: 'id',
            in: 'path',
            required: true,
            description: 'Which.',
            schema: { type: 'string', pattern: '^[a-z]+$' },
          },
        ],
        responses: {
          200: {
            description: 'A book.',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Book' } } },
          },
          404: { description: 'None.' },
        },
      },
    },
  },
  components: {
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
    schemas: {
      Book: {
        type: 'object',
        required: ['title'],
        properties: { title: { type: 'string', enum: ['a'], example: 'a' } },
      },
    },
  },
}

/** The good document with the value under a path replaced; undefined takes it away. */
function changed(path: readonly string[], value: unknown, root: unknown = good): Json {
  const [key = '', ...rest] = path
  const tree = { ...(root as Json) }
  if (rest.length > 0) tree[key as keyof typeof tree] = changed(rest, value, tree[key])
  else if (value === undefined) Reflect.deleteProperty(tree, key)
  else tree[key as keyof typeof tree] = value
  return tree
}

const found = (document: unknown): string[] => lintDocument(document).map(({ rule, pointer }) => `${rule} ${pointer}`)
const operation = ['paths', '/books/{id}', 'get']
const at = '#/paths/~1books~1{id}/get'

test('a document that keeps all rules has no findings', () => expect(found(good)).toEqual([]))

describe('each rule says where it is broken', () => {
  test.each([
    [['info', 'title'], undefined, 'info-title #/info/title'],
    [['info', 'description'], undefined, 'info-description #/info/description'],
    [['info', 'contact'], undefined, 'info-contact #/info/contact'],
    [['servers'], [{ url: 'http://api.example.com' }], 'servers-https #/servers/0/url'],
    [['tags'], [], `tags-described ${at}/tags/0`],
    [[...operation, 'parameters'], [], `path-parameters ${at}`],
    [[...operation, 'operationId'], undefined, `operation-id ${at}`],
    [[...operation, 'operationId'], 'get book', `operation-id-form ${at}/operationId`],
    [[...operation, 'summary'], ' ', `operation-described ${at}`],
    [[...operation, 'tags'], [], `operation-tags ${at}`],
    [[...operation, 'responses', '200'], undefined, `operation-success ${at}/responses`],
    [[...operation, 'responses', '404'], undefined, `operation-failure ${at}/responses`],
    [[...operation, 'responses', '404'], {}, `response-described ${at}/responses/404`],
    [[...operation, 'requestBody'], { content: {} }, `operation-body ${at}/requestBody`],
    [[...operation, 'security'], [{ lock: [] }], `security-defined ${at}/security/0/lock`],
    [
      [...operation, 'responses', '200', 'content', 'application/json'],
      {},
      `response-schema ${at}/responses/200/content/application~1json`,
    ],
    [
      ['components', 'securitySchemes', 'key', 'in'],
      'query',
      'credentials-in-query #/components/securitySchemes/key/in',
    ],
    [['components', 'schemas', 'Book', 'type'], 'objekt', 'schema-type #/components/schemas/Book/type'],
    [
      ['components', 'schemas', 'Book', 'properties', 'title'],
      { type: 'array' },
      'schema-items #/components/schemas/Book/properties/title',
    ],
    [
      ['components', 'schemas', 'Book', 'properties', 'title', 'enum'],
      [1],
      'schema-enum #/components/schemas/Book/properties/title/enum/0',
    ],
    [
      ['components', 'schemas', 'Book', 'properties', 'title', 'pattern'],
      '(?=a)',
      'schema-pattern #/components/schemas/Book/properties/title/pattern',
    ],
    [['components', 'schemas', 'Book', 'required'], ['titel'], 'schema-required #/components/schemas/Book/required/0'],
    [
      ['components', 'schemas', 'Book', 'properties', 'title', 'example'],
      `ghp_${'a'.repeat(36)}`,
      'no-secrets #/components/schemas/Book/properties/title/example',
    ],
    [
      ['components', 'schemas', 'Book'],
      undefined,
      `reference-resolves ${at}/responses/200/content/application~1json/schema/$ref`,
    ],
    [['paths', '/books/?x=1'], {}, 'path-form #/paths/~1books~1?x=1'],
  ])('%j as %j: %s', (path, value, finding) => expect(found(changed(path, value))).toEqual([finding]))

  test('without repeating a secret that it found', () => {
    const secret = `ghp_${'a'.repeat(36)}`
    const document = changed(['info', 'description'], `Use ${secret}.`)
    expect(JSON.stringify(lintDocument(document))).not.toContain(secret)
  })

  test('that two operations share a name, and that changes are open to everybody', () => {
    const document = changed(['paths', '/a'], { post: { ...good.paths['/books/{id}'].get, parameters: [] } })
    expect(found(document)).toEqual(['operation-id-unique #/paths/~1a/post/operationId'])
    expect(found(changed(['security'], undefined, document))).toContain('security-present #/paths/~1a/post')
  })
})

describe('bounds', () => {
  test('hold for the findings of one rule, of all, and for what is looked at', () => {
    const paths = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`/a${index}`, { get: {} }]))
    const document = { ...good, paths }
    const ids = lintDocument(document, undefined, { perRule: 3 }).filter(({ rule }) => rule === 'operation-id')
    expect(ids).toHaveLength(3)
    expect(lintDocument(document, undefined, { findings: 5 })).toHaveLength(5)
    expect(lintDocument(good, undefined, { visits: 3 }).map(({ rule }) => rule)).toEqual(['lint-incomplete'])
  })

  test('never hide what an override makes grave behind findings that are not', () => {
    const paths = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`/a${index}`, { get: {} }]))
    const overrides = [{ pointer: '#/paths/~1a19', severities: new Map([['operation-id', 'error' as const]]) }]
    const found = lintDocument({ ...good, paths }, { ...builtInRuleset, overrides }, { perRule: 3 })
    expect(found.filter(({ rule }) => rule === 'operation-id')).toHaveLength(4)
    expect(found).toContainEqual(expect.objectContaining({ rule: 'operation-id', severity: 'error' }))
  })

  test('that are met are an error, so that no document passes by being too large', () => {
    expect(lintDocument(good, undefined, { visits: 3 })[0]?.severity).toBe('error')
  })

  test.each([
    null,
    [],
    1,
    {},
    { paths: [1] },
    { paths: { '/a': null, '/b': { get: 1, parameters: 'x' } } },
    { components: { schemas: { A: { required: 1, enum: {}, properties: [] } } }, servers: [1] },
  ])('nothing breaks on %j', (document) =>
    expect(lintDocument(document).every(({ pointer }) => pointer.startsWith('#'))).toBe(true),
  )
})

test('every rule has an id of its own, a title and a remedy', () => {
  const ids = lintRules.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { title, remedy } of lintRules) expect([title, remedy].every((text) => text.endsWith('.'))).toBe(true)
})
