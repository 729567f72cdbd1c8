import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareDocuments } from './compare-documents.ts'
import { compareRules } from './compare-rules.ts'

type Json = Readonly<Record<string, unknown>>

const documentOf = (paths: Json, more: Json = {}): Json => ({ openapi: '3.1.0', paths, ...more })
const withOperation = (operation: Json, more: Json = {}): Json => documentOf({ '/a': { post: operation } }, more)
const asked = (schema: unknown): Json => withOperation({ requestBody: { content: { 'application/json': { schema } } } })
const answered = (schema: unknown): Json =>
  withOperation({ responses: { 200: { content: { 'application/json': { schema } } } } })

/** Rules of what changed. */
function rules(before: Json, after: Json): string[] {
  return compareDocuments(before, after).map(({ rule }) => rule)
}

describe('operations', () => {
  test.each([
    [{ '/a': { get: {} } }, {}, ['operation.removed']],
    [{}, { '/a': { get: {} } }, ['operation.added']],
    [{ '/a/{id}': { get: {} } }, { '/a/{name}': { get: {} } }, []],
    [{ '/a': { get: {} } }, { '/a': { put: {} } }, ['operation.removed', 'operation.added']],
    [{ '/a': { get: {} } }, { '/a': { get: { deprecated: true } } }, ['operation.deprecated']],
  ])('%j to %j', (before, after, wanted) => expect(rules(documentOf(before), documentOf(after))).toEqual(wanted))
})

describe('parameters', () => {
  const query = (name: string, more: Json = {}): Json => ({ in: 'query', name, ...more })

  test.each([
    [[query('q')], [], ['parameter.removed']],
    [[], [query('q')], ['parameter.added']],
    [[], [query('q', { required: true })], ['parameter.added-required']],
    [[query('q')], [query('q', { required: true })], ['parameter.became-required']],
    [[query('q', { required: true })], [query('q')], ['parameter.became-optional']],
    [[query('q')], [query('q', { explode: false })], ['parameter.style']],
    [[query('q', { style: 'form' })], [query('q')], []],
    [
      [query('q', { schema: { maxLength: 5 } })],
      [query('q', { schema: { maxLength: 4 } })],
      ['request.bound-narrowed'],
    ],
    [[{ in: 'header', name: 'X-A' }], [{ in: 'header', name: 'x-a' }], []],
  ])('%j to %j', (before, after, wanted) => {
    expect(rules(withOperation({ parameters: before }), withOperation({ parameters: after }))).toEqual(wanted)
  })

  test('of the path are found by where they stand, and of the path item too', () => {
    const at = (name: string, type: string): Json =>
      documentOf({
        [`/a/{${name}}`]: { parameters: [{ in: 'path', name, required: true, schema: { type } }], get: {} },
      })
    expect(rules(at('id', 'string'), at('key', 'string'))).toEqual([])
    expect(rules(at('id', 'string'), at('key', 'integer'))).toEqual(['request.type-narrowed', 'request.type-widened'])
  })
})

describe('bodies and answers', () => {
  const body = (more: Json): Json => withOperation({ requestBody: { content: {}, ...more } })
  const answer = (responses: Json): Json => withOperation({ responses })

  test.each([
    [body({}), withOperation({}), ['body.removed']],
    [withOperation({}), body({}), ['body.added']],
    [withOperation({}), body({ required: true }), ['body.added-required']],
    [body({}), body({ required: true }), ['body.became-required']],
    [body({ required: true }), body({}), ['body.became-optional']],
    [
      body({ content: { 'a/b': {} } }),
      body({ content: { 'c/d': {} } }),
      ['body.media-type-removed', 'body.media-type-added'],
    ],
    [answer({ 200: {} }), answer({}), ['response.removed']],
    [answer({ 404: {} }), answer({}), ['response.error-removed']],
    [answer({}), answer({ 404: {} }), ['response.added']],
    [answer({ 200: { content: { 'a/b': {} } } }), answer({ 200: {} }), ['response.media-type-removed']],
    [answer({ 200: { headers: { 'X-A': {} } } }), answer({ 200: { headers: { 'x-a': {} } } }), []],
    [answer({ 200: { headers: { 'X-A': {} } } }), answer({ 200: {} }), ['response.header-removed']],
    [
      answer({ 200: { headers: { A: { required: true } } } }),
      answer({ 200: { headers: { A: {} } } }),
      ['response.header-optional'],
    ],
  ])('%j to %j', (before, after, wanted) => expect(rules(before, after)).toEqual(wanted))
})

describe('security', () => {
  const secured = (...security: Json[]): Json => withOperation({ security })

  test.each([
    [secured(), secured({ key: [] }), ['security.added']],
    [secured({ key: [] }), secured(), ['security.removed']],
    [secured({ key: [] }), secured({ key: [] }, {}), ['security.removed']],
    [secured({ key: [] }), secured({ token: [] }), ['security.way-removed', 'security.way-added']],
    [secured({ key: [] }), secured({ key: [] }, { token: [] }), ['security.way-added']],
    [secured({ oauth: ['read'] }), secured({ oauth: ['read', 'write'] }), ['security.way-removed']],
    [secured({ oauth: ['read', 'write'] }), secured({ oauth: ['read'] }), []],
    [withOperation({}, { security: [{ key: [] }] }), withOperation({ security: [{ key: [] }] }), []],
  ])('%j to %j', (before, after, wanted) => expect(rules(before, after)).toEqual(wanted))
})

describe('schemas', () => {
  const object = (properties: Json, more: Json = {}): Json => ({ type: 'object', properties, ...more })

  test.each([
    [{ type: 'string' }, { type: ['string', 'null'] }, ['request.type-widened'], ['response.type-widened']],
    [{ type: 'string' }, { type: 'string', nullable: true }, ['request.type-widened'], ['response.type-widened']],
    [{ type: 'number' }, { type: 'integer' }, ['request.type-narrowed'], ['response.type-narrowed']],
    [{}, { type: 'string' }, ['request.type-narrowed'], ['response.type-narrowed']],
    [{ enum: ['a', 'b'] }, { enum: ['a'] }, ['request.enum-narrowed'], ['response.enum-narrowed']],
    [{ enum: ['a'] }, { enum: ['a', 'b'] }, ['request.enum-widened'], ['response.enum-widened']],
    [{ const: 'a' }, { enum: ['a'] }, [], []],
    [{ minimum: 1 }, { minimum: 2 }, ['request.bound-narrowed'], ['response.bound-narrowed']],
    [{ maximum: 1 }, {}, ['request.bound-widened'], ['response.bound-widened']],
    [{ format: 'date' }, {}, ['request.bound-widened'], ['response.bound-widened']],
    [object({ a: {} }), object({}), ['request.property-ignored'], ['response.property-removed']],
    [
      object({ a: {} }),
      object({}, { additionalProperties: false }),
      ['request.property-removed', 'request.properties-closed'],
      ['response.property-removed'],
    ],
    [object({}), object({ a: {} }), ['request.property-added'], ['response.property-added']],
    [
      object({ a: {} }),
      object({ a: {} }, { required: ['a'] }),
      ['request.property-required'],
      ['response.property-required'],
    ],
    [
      object({ a: {} }, { required: ['a'] }),
      object({ a: {} }),
      ['request.property-optional'],
      ['response.property-optional'],
    ],
    [object({ a: {} }), object({ a: { readOnly: true } }, { required: ['a'] }), [], ['response.property-required']],
    [
      { items: { type: 'string' } },
      { items: { type: 'integer' } },
      ['request.type-narrowed', 'request.type-widened'],
      ['response.type-widened', 'response.type-narrowed'],
    ],
    [
      { oneOf: [{ title: 'a' }] },
      { oneOf: [{ title: 'a' }, { title: 'b' }] },
      ['request.alternative-added'],
      ['response.alternative-added'],
    ],
    [{ allOf: [object({ a: {} }), { required: ['a'] }] }, object({ a: {} }, { required: ['a'] }), [], []],
    [{ allOf: [{ maximum: 5 }, { maximum: 3 }] }, { maximum: 3 }, [], []],
  ])('%j to %j', (before, after, inRequests, inAnswers) => {
    expect(rules(asked(before), asked(after))).toEqual(inRequests)
    expect(rules(answered(before), answered(after))).toEqual(inAnswers)
  })

  test('behind references are compared, circles once', () => {
    const at = (type: string): Json => ({
      ...asked({ $ref: '#/components/schemas/Node' }),
      components: { schemas: { Node: object({ value: { type }, next: { $ref: '#/components/schemas/Node' } }) } },
    })
    expect(rules(at('string'), at('string'))).toEqual([])
    expect(compareDocuments(at('number'), at('integer'))).toEqual([
      {
        kind: 'breaking',
        rule: 'request.type-narrowed',
        pointer: '#/paths/~1a/post/requestBody/content/application~1json/schema/properties/value/type',
        detail: 'the type number is gone',
      },
    ])
  })

  test('that share parts so that copies would explode are compared within bounds, and that is said', () => {
    const level = (index: number): Json =>
      object(Object.fromEntries(['a', 'b', 'c'].map((key) => [key, { ...(index === 0 ? {} : level(index - 1)) }])))
    const deep = level(6)
    const changes = compareDocuments(asked(deep), asked(deep), { steps: 200 })
    expect(changes.map(({ rule }) => rule)).toEqual(['schema.not-compared'])
  })
})

test('path items that many paths share are compared within bounds', () => {
  const parameters = Array.from({ length: 500 }, (_, index) => ({ in: 'query', name: `p${index}` }))
  const paths = Array.from({ length: 500 }, (_, index) => [`/a${index}`, { $ref: '#/x-item' }])
  const document = documentOf(Object.fromEntries(paths), { 'x-item': { parameters, get: {}, put: {}, post: {} } })
  const changes = compareDocuments(document, structuredClone(document), { steps: 100_000 })
  expect(changes.map(({ rule }) => rule)).toEqual(['schema.not-compared'])
})

test('a change of what several operations share is told once', () => {
  const shared = (type: string): Json => {
    const operation = { responses: { 200: { content: { 'a/b': { schema: { $ref: '#/components/schemas/A' } } } } } }
    return documentOf(
      { '/a': { get: operation }, '/b': { get: operation } },
      { components: { schemas: { A: { type } } } },
    )
  }
  expect(rules(shared('number'), shared('integer'))).toEqual(['response.type-narrowed'])
})

test('a document compared with itself has no changes, whatever stands in it', () => {
  // Bounded in depth: without that, schemas have more than one child on average and most of them are megabytes large.
  const leaf = {
    type: fc.constantFrom('string', 'object', ['string', 'null'], 1),
    enum: fc.array(fc.constantFrom('a', 1, null), { maxLength: 3 }),
    required: fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }),
    $ref: fc.constantFrom('#/components/schemas/A', '#/nowhere', 3),
    minimum: fc.integer(),
  }
  const value = fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.record(leaf, { requiredKeys: [] }),
      fc.record(
        {
          ...leaf,
          properties: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('schema'), { maxKeys: 2 }),
          allOf: fc.array(tie('schema'), { maxLength: 2 }),
          oneOf: fc.array(tie('schema'), { maxLength: 2 }),
          additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
        },
        { requiredKeys: [] },
      ),
    ),
  })).schema
  fc.assert(
    fc.property(value, value, (schema, other) => {
      const document = { ...asked(schema), components: { schemas: { A: other } } }
      expect(compareDocuments(document, structuredClone(document))).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('every rule has an id of its own', () => {
  const ids = Object.values(compareRules).map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
