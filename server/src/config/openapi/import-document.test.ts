import { stringify } from 'yaml'
import { describe, expect, test } from 'vitest'
import { childOf } from '../findings.ts'
import { FetchFault, type FetchFile } from './fetch-file.ts'
import { importDocument, type ImportOptions, type ImportResult } from './import-document.ts'
import { referenceRules } from './import-rules.ts'

const source = new URL('https://api.example.com/specs/openapi.json')

type Files = Readonly<Record<string, unknown>>

/** A network of these files, by their address; the addresses that were asked for are kept. */
function networkOf(files: Files): { fetch: FetchFile; asked: string[] } {
  const asked: string[] = []
  const fetch: FetchFile = (url, bounds) => {
    asked.push(url.href)
    const file = files[url.href]
    if (file === undefined)
      return Promise.reject(new FetchFault(referenceRules.unavailable, `${url.href} is not there`))
    const bytes = Buffer.from(typeof file === 'string' ? file : stringify(file))
    const isSmall = bytes.length <= bounds.maxBytes
    return isSmall
      ? Promise.resolve({ url, bytes })
      : Promise.reject(new FetchFault(referenceRules.bounds, 'too large'))
  }
  return { fetch, asked }
}

const spec = (paths: unknown, more: object = {}): string => JSON.stringify({ openapi: '3.0.3', paths, ...more })

function run(input: string | Uint8Array, options: Partial<ImportOptions> = {}): Promise<ImportResult> {
  return importDocument(input, { source, ...options })
}

async function imported(
  input: string,
  options: Partial<ImportOptions> = {},
): Promise<Extract<ImportResult, { kind: 'imported' }>> {
  const result = await run(input, options)
  if (result.kind !== 'imported') throw new Error(JSON.stringify(result.findings))
  return result
}

/** Rule and pointer of everything that was found. */
async function found(input: string | Uint8Array, options: Partial<ImportOptions> = {}): Promise<string[]> {
  const { findings } = await run(input, options)
  for (const { message, remedy } of findings) expect([message, remedy]).not.toContain('')
  return findings.map(({ rule, pointer }) => `${rule} ${pointer}`)
}

const at = (value: unknown, ...keys: (string | number)[]): unknown => keys.reduce<unknown>(childOf, value)

describe('a document', () => {
  test('of JSON or YAML is taken as it is, with its operations', async () => {
    const text = spec({ '/a/{id}.json': { get: { operationId: 'one' } }, '/b#x': { put: {} } })
    const { document, version, operations, findings } = await imported(text)
    expect(document).toEqual(JSON.parse(text))
    expect({ version, operations, findings }).toEqual({
      version: '3.0',
      operations: [
        { name: 'one', method: 'GET', path: '/a/{id}.json' },
        { name: 'PUT /b#x', method: 'PUT', path: '/b' },
      ],
      findings: [],
    })
    expect((await imported(stringify(JSON.parse(text)))).document).toEqual(document)
  })

  test('of Swagger 2.0 is upgraded', async () => {
    const parameters = [{ $ref: '#/parameters/Body' }]
    const swagger = {
      swagger: '2.0',
      paths: { '/a': { post: { parameters } } },
      parameters: { Body: { in: 'body', name: 'b', schema: {} } },
    }
    const { document, version } = await imported(JSON.stringify(swagger))
    expect(version).toBe('2.0')
    expect(at(document, 'openapi')).toBe('3.0.3')
    expect(at(document, 'paths', '/a', 'post', 'requestBody', 'content')).toEqual({
      'application/json': { schema: {} },
    })
  })

  test.each([
    ['{"openapi":"3.2.0","paths":{}}', 'document.version #/openapi'],
    ['{"swagger":"1.2","paths":{}}', 'document.version #/swagger'],
    ['[]', 'document.version #/openapi'],
    ['hello', 'document.version #/openapi'],
    ['', 'document.version #/openapi'],
    ['{"openapi":"3.0.0",}}', 'text.syntax #'],
    ['a: [', 'text.syntax #'],
    ['a: {b: {c: 1, c: 2}}', 'text.keys #/a/b/c'],
    ['{"a":{"b":[{"c":1,"c":2}]}}', 'text.keys #/a/b/0/c'],
    ['{"a":{"__proto__":1}}', 'text.keys #/a/__proto__'],
    ['a: {b: *c}', 'text.aliases #/a/b'],
    ['a: &a [*a]', 'text.aliases #/a/0'],
    ['{"openapi":"3.0.0","paths":{}}', 'document.operations #/paths'],
    ['{"openapi":"3.0.0","webhooks":{"x":{"post":{}}}}', 'document.operations #/paths'],
  ])('%s is refused: %s', async (text, finding) => expect(await found(text)).toContain(finding))

  test('that is no UTF-8, too large, or too large as YAML is refused', async () => {
    expect(await found(Buffer.from([0x7b, 0xff]))).toEqual(['text.encoding #'])
    expect(await found(spec({}), { limits: { fileBytes: 10 } })).toEqual(['text.size #'])
    expect(await found(`openapi: 3.0.0 #${'x'.repeat(50)}`, { limits: { yamlBytes: 50 } })).toEqual(['text.size #'])
    expect(await found(`{${' '.repeat(50)}`, { limits: { yamlBytes: 50 } })).toEqual(['text.size #'])
  })

  test('that stands for billions of values, or nests without end, is refused with a pointer', async () => {
    const bomb = Array.from(
      { length: 12 },
      (_, level) =>
        `l${level}: &l${level} [${Array(10)
          .fill(level === 0 ? 'x' : `*l${level - 1}`)
          .join(',')}]`,
    )
    expect((await found(bomb.join('\n')))[0]).toMatch(/^text\.aliases #\/l\d/)
    expect((await found(`{"a":${'['.repeat(150)}${']'.repeat(150)}}`))[0]).toMatch(/^text\.nesting #\/a\/0/)
    expect(await found('['.repeat(100_000))).toEqual(['text.nesting #'])
  })

  test('whose parts are repeated by aliases is changed in one place only', async () => {
    const text = 'openapi: 3.0.3\npaths:\n  /a: { get: &x { operationId: x } }\n  /b: { get: *x }\n'
    expect((await imported(text)).operations.map(({ name }) => name)).toEqual(['x', 'x_2'])
  })
})

describe('what is wrong with operations', () => {
  test.each([
    ['/a/{b', {}, 'path.template #/paths/~1a~1{b'],
    ['a', {}, 'path.start #/paths/a'],
    ['/a%2Fb', {}, 'path.unmatched #/paths/~1a%2Fb/get'],
  ])('refuses %s', async (path, item, finding) => {
    expect(await found(spec({ [path]: { get: {}, ...item } }))).toEqual([finding])
  })

  test('refuses two that nothing tells apart, and what looks like a misspelt method', async () => {
    expect(await found(spec({ '/{a}': { get: {} }, '/{b}': { get: {} } }))).toEqual([
      'path.ambiguous #/paths/~1{b}/get',
    ])
    expect(await found(spec({ '/a': { get: {}, psot: {} } }))).toEqual(['path.keys #/paths/~1a/psot'])
  })

  test('is mended where it has one meaning', async () => {
    const paths = {
      '/a': { get: { operationId: 'x' }, put: null, name: 'A', post: { operationId: 'x' } },
      '/b': { get: { operationId: '\n' } },
    }
    const { document, findings } = await imported(spec(paths))
    expect(findings.map(({ rule, outcome }) => `${rule} ${outcome}`)).toEqual([
      'path.key-unknown mended',
      'path.key-unknown mended',
      'operation.id-repeated mended',
      'operation.id-form mended',
    ])
    expect(at(document, 'paths')).toEqual({
      '/a': { get: { operationId: 'x' }, post: { operationId: 'x_2' } },
      '/b': { get: {} },
    })
  })

  test('is noted when a reference leads to nothing', async () => {
    const schema = { $ref: '#/components/schemas/No' }
    const text = spec({ '/a': { get: { parameters: [{ name: 'a', in: 'query', schema }] } } })
    expect(await found(text)).toEqual(['reference.dangling #/paths/~1a/get/parameters/0/schema/$ref'])
  })
})

describe('references to other files', () => {
  const base = 'https://api.example.com/specs'

  test('are bundled, once for each part, and circles stay circles', async () => {
    const { fetch, asked } = networkOf({
      [`${base}/paths/pets.yaml`]: {
        get: {
          parameters: [{ $ref: '../common.yaml#/parameters/Limit' }],
          responses: { 200: { $ref: '../common.yaml#/responses/Pets' } },
        },
      },
      [`${base}/common.yaml`]: {
        parameters: {
          Limit: { name: 'limit', in: 'query', schema: { $ref: 'openapi.json#/components/schemas/Count' } },
        },
        responses: {
          Pets: { description: '', content: { 'application/json': { schema: { $ref: '#/schemas/Pet' } } } },
        },
        schemas: { Pet: { properties: { mother: { $ref: '#/schemas/Pet' }, owner: { $ref: 'people.yaml' } } } },
      },
      [`${base}/people.yaml`]: { properties: { pets: { items: { $ref: 'common.yaml#/schemas/Pet' } } } },
    })
    const paths = { '/pets': { $ref: 'paths/pets.yaml' } }
    const components = { schemas: { Count: { type: 'integer' }, Pet: { type: 'string' } } }
    const { document } = await imported(spec(paths, { components }), { fetch })
    expect(at(document, 'paths', '/pets', 'get', 'parameters')).toEqual([{ $ref: '#/components/parameters/Limit' }])
    expect(at(document, 'components', 'parameters', 'Limit', 'schema')).toEqual({ $ref: '#/components/schemas/Count' })
    expect(at(document, 'components', 'schemas')).toEqual({
      ...components.schemas,
      'Pet-2': {
        properties: { mother: { $ref: '#/components/schemas/Pet-2' }, owner: { $ref: '#/components/schemas/people' } },
      },
      people: { properties: { pets: { items: { $ref: '#/components/schemas/Pet-2' } } } },
    })
    expect(asked.toSorted()).toEqual([`${base}/common.yaml`, `${base}/paths/pets.yaml`, `${base}/people.yaml`])
  })

  test('of Swagger 2.0 are bundled before it is upgraded', async () => {
    const { fetch } = networkOf({
      [`${base}/c.yaml`]: {
        parameters: { B: { in: 'body', name: 'b', schema: { $ref: '#/S' } } },
        S: { 'x-nullable': true },
      },
    })
    const swagger = { swagger: '2.0', paths: { '/a': { post: { parameters: [{ $ref: 'c.yaml#/parameters/B' }] } } } }
    const { document } = await imported(JSON.stringify(swagger), { fetch })
    expect(at(document, 'paths', '/a', 'post', 'requestBody', 'content')).toEqual({
      'application/json': { schema: { $ref: '#/components/schemas/S' } },
    })
    expect(at(document, 'components', 'schemas', 'S')).toEqual({ nullable: true })
  })

  test.each([
    ['https://elsewhere.example.com/a.yaml', 'reference.elsewhere'],
    ['http://api.example.com/a.yaml', 'reference.elsewhere'],
    ['https://api.example.com:8443/a.yaml', 'reference.elsewhere'],
    ['file:///etc/passwd', 'reference.elsewhere'],
    ['//elsewhere.example.com/a.yaml', 'reference.elsewhere'],
    ['data:application/json,{}', 'reference.elsewhere'],
  ])('to %s are refused and never asked for', async (reference, rule) => {
    const { fetch, asked } = networkOf({})
    expect(await found(spec({ '/a': { $ref: reference } }), { fetch })).toEqual([`${rule} #/paths/~1a/$ref`])
    expect(asked).toEqual([])
  })

  test('to another host are followed when it is allowed, and none without a network', async () => {
    const { fetch } = networkOf({ 'https://other.example.com/a.yaml': { get: {} } })
    const text = spec({ '/a': { $ref: 'https://other.example.com/a.yaml' } })
    expect((await imported(text, { fetch, hosts: ['other.example.com'] })).operations).toHaveLength(1)
    expect(await found(spec({ '/a': { $ref: 'a.yaml' } }))).toEqual(['reference.elsewhere #/paths/~1a/$ref'])
  })

  test('stay below the folder of a document on disk', async () => {
    const { fetch, asked } = networkOf({ 'file:///specs/sub/a.yaml': { get: {} } })
    const options = { fetch, source: new URL('file:///specs/openapi.json') }
    expect((await imported(spec({ '/a': { $ref: 'sub/a.yaml' } }), options)).operations).toHaveLength(1)
    for (const reference of [
      '../a.yaml',
      '/etc/passwd',
      'https://api.example.com/a.yaml',
      'sub/%2e%2e/%2e%2e/a.yaml',
    ]) {
      expect(await found(spec({ '/a': { $ref: reference } }), options)).toEqual([
        'reference.elsewhere #/paths/~1a/$ref',
      ])
    }
    expect(asked).toEqual(['file:///specs/sub/a.yaml'])
  })

  test('are bounded in number, bytes and depth', async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`${base}/${index}.yaml`, { allOf: [{ $ref: `${index + 1}.yaml` }] }]),
    )
    const { fetch } = networkOf({ ...chain, [`${base}/9.yaml`]: {} })
    const schema = { $ref: '0.yaml' }
    const text = spec({ '/a': { get: { parameters: [{ name: 'a', in: 'query', schema }] } } })
    expect((await run(text, { fetch })).kind).toBe('imported')
    expect((await found(text, { fetch, limits: { fileDepth: 5 } }))[0]).toMatch(/^reference\.bounds /)
    expect((await found(text, { fetch, limits: { files: 5 } }))[0]).toBe('reference.bounds #')
    expect((await found(text, { fetch, limits: { totalBytes: text.length + 60 } }))[0]).toBe('reference.bounds #')
    expect((await found(text, { fetch, limits: { fetchMs: -1 } }))[0]).toBe('reference.bounds #')
  })

  test('to what is not there, is no document, or circles among paths are refused', async () => {
    const { fetch } = networkOf({
      [`${base}/bad.yaml`]: 'a: [',
      [`${base}/x.yaml`]: { $ref: 'y.yaml' },
      [`${base}/y.yaml`]: { $ref: 'x.yaml' },
    })
    expect(await found(spec({ '/a': { $ref: 'no.yaml' } }), { fetch })).toEqual(['reference.unavailable #'])
    expect(await found(spec({ '/a': { $ref: 'bad.yaml' } }), { fetch })).toEqual(['text.syntax #'])
    expect((await found(spec({ '/a': { $ref: 'x.yaml' } }), { fetch }))[0]).toMatch(/^reference\.unavailable /)
  })
})
