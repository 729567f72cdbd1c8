import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../../kernel/json.ts'
import { formatNames } from './formats.ts'
import { Random } from './random.ts'
import { ValueGenerator } from './value-generator.ts'

function generate(schema: JsonValue, components: JsonObject = {}, seed = 1): JsonValue | undefined {
  return new ValueGenerator(components, new Random(seed), false).generate(schema)
}

/** What is wrong with values of the schema, by a validator that shares no code with the generator. */
function findWrong(schema: JsonValue, components: JsonObject = {}, seeds = 20): string[] {
  const ajv = addFormats.default(new Ajv2020({ strict: false, logger: false, multipleOfPrecision: 6 }))
  const validate = ajv.compile({ allOf: [schema], components: { schemas: components } })
  return Array.from({ length: seeds }, (_, seed) => generate(schema, components, seed)).flatMap((value) =>
    validate(value) ? [] : [`${JSON.stringify(value)}: ${ajv.errorsText(validate.errors)}`],
  )
}

const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` })

describe('values fulfil', () => {
  test.each<[JsonObject]>([
    [{ type: 'integer', minimum: 5, exclusiveMaximum: 7 }],
    [{ type: 'integer', format: 'int32', maximum: -5 }],
    [{ type: 'number', exclusiveMinimum: 0, maximum: 0.001 }],
    [{ type: 'number', multipleOf: 0.01, minimum: 0.05, maximum: 0.09 }],
    [{ type: 'integer', multipleOf: 2.5, minimum: 1, maximum: 9 }],
    [{ type: 'number', format: 'int64' }],
    [{ allOf: [{ multipleOf: 4 }, { multipleOf: 6 }, { type: 'integer', maximum: 13, minimum: 1 }] }],
    [{ type: 'string', minLength: 50, maxLength: 52 }],
    [{ type: 'string', maxLength: 2 }],
    [{ type: 'string', maxLength: 0 }],
    [{ type: 'string', pattern: '^[A-Z]{2}$', minLength: 2 }],
    [{ type: 'string', format: 'date', pattern: '^20' }],
    [{ allOf: [{ pattern: '^a' }, { type: 'string', pattern: 'b$' }] }],
    [{ type: ['string', 'null'], enum: ['a', null] }],
    [{ const: { a: [1, null] } }],
    [{ enum: [1, 'two', null, [3]], type: 'string' }],
    [{ type: 'array', minItems: 3, maxItems: 4, items: { type: 'boolean' } }],
    [{ type: 'array', uniqueItems: true, minItems: 3, items: { enum: [1, 2, 3] } }],
    [{ type: 'array', prefixItems: [{ type: 'string' }, { const: 2 }], items: false, minItems: 2 }],
    [{ type: 'array', contains: { const: 7 }, minContains: 2, maxContains: 3, items: { type: 'integer' } }],
    [{ type: 'object', required: ['a', 'b'], properties: { a: { type: 'string' } }, maxProperties: 2 }],
    [{ type: 'object', additionalProperties: { type: 'integer' }, minProperties: 3 }],
    [{ type: 'object', propertyNames: { pattern: '^x-' }, minProperties: 2 }],
    [
      {
        type: 'object',
        patternProperties: { '^n_': { type: 'number' } },
        additionalProperties: false,
        minProperties: 1,
      },
    ],
    [{ properties: { a: false, b: { type: 'null' } } }],
    [{ properties: { a: {}, b: {} }, dependentRequired: { a: ['c'], c: ['d'] } }],
    [{ properties: { a: {} }, required: ['a'], dependentSchemas: { a: { required: ['b'] } } }],
    [{ type: 'object', minProperties: 2, properties: { a: {}, b: {}, c: {} }, maxProperties: 2 }],
  ])('%j', (schema) => expect(findWrong(schema)).toEqual([]))

  test.each<[JsonObject]>([
    [{ allOf: [{ properties: { a: { minimum: 3 } } }, { properties: { a: { type: 'integer', maximum: 3 } } }] }],
    [{ allOf: [{ additionalProperties: false, properties: { a: {} } }, { properties: { b: {} } }] }],
    [{ anyOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: {}, b: {} } }],
    [{ oneOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: {}, b: {} } }],
    [
      {
        oneOf: [
          { type: 'integer', multipleOf: 5 },
          { type: 'integer', multipleOf: 3 },
        ],
      },
    ],
    [{ oneOf: [{ properties: { a: {} } }, { properties: { b: { type: 'string' } }, required: ['b', 'c'] }] }],
    [{ type: 'string', anyOf: [{ maxLength: 3 }, { format: 'uuid' }], oneOf: [{ minLength: 30 }, { const: 'no' }] }],
    [{ type: 'object', properties: { a: {}, b: {} }, not: { required: ['a'] } }],
    [{ type: 'integer', minimum: 1, maximum: 3, not: { enum: [1, 3] } }],
    [{ allOf: [{ not: { const: 1 } }, { not: { const: 2 } }], enum: [1, 2, 3] }],
    [
      {
        type: 'object',
        properties: { kind: { enum: ['a', 'b'] } },
        required: ['kind'],
        if: { properties: { kind: { const: 'a' } } },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: { required: ['x'] },
        else: { required: ['y'] },
      },
    ],
    [{ anyOf: [{ type: 'null' }, { type: 'string', format: 'email' }] }],
    [{ anyOf: [false, { type: 'boolean' }] }],
  ])('%j', (schema) => expect(findWrong(schema)).toEqual([]))

  test.each(formatNames)('the format %s', (format) => expect(findWrong({ type: 'string', format })).toEqual([]))

  test('whatever a schema that can be fulfilled asks for', () => {
    fc.assert(
      fc.property(schemas(), (schema) => {
        expect(findWrong(schema, {}, 3)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

describe('references', () => {
  test('in a circle end by what is optional, by an empty list, or by another branch', () => {
    const components = {
      Node: { type: 'object', required: ['id'], properties: { id: { type: 'integer' }, next: ref('Node') } },
      Tree: { type: 'object', required: ['children'], properties: { children: { type: 'array', items: ref('Tree') } } },
      Sum: { type: 'object', required: ['left', 'right'], properties: { left: ref('Term'), right: ref('Term') } },
      Term: { oneOf: [ref('Sum'), { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } }] },
    }
    for (const name of Object.keys(components)) expect(findWrong(ref(name), components)).toEqual([])
  })

  test('that never end end all the same', () => {
    const components = {
      Endless: { type: 'object', required: ['a', 'b'], properties: { a: ref('Endless'), b: ref('Endless') } },
      Itself: { allOf: [ref('Itself'), { type: 'string' }] },
      Either: { anyOf: [ref('Either'), ref('Other')] },
      Other: { oneOf: [ref('Either'), ref('Other')] },
    }
    const made = Object.keys(components).map((name) => generate(ref(name), components))
    expect([made[0], typeof made[1]]).toEqual([undefined, 'string'])
  })

  test('that multiply cost a bounded number of values', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 40 }, (_, level) => {
        const next = level === 39 ? { type: 'integer' } : ref(`L${level + 1}`)
        return [`L${level}`, { type: 'object', required: ['a', 'b'], properties: { a: next, b: next } }]
      }),
    )
    expect(JSON.stringify(generate(ref('L0'), wide) ?? null).length).toBeLessThan(200_000)
    const doubled = Object.fromEntries(
      Array.from({ length: 60 }, (_, level) => [`D${level}`, { allOf: [ref(`D${level + 1}`), ref(`D${level + 1}`)] }]),
    )
    expect(generate(ref('D0'), { ...doubled, D60: { type: 'string' } })).toBeDefined()
  })

  test('tell which branch a discriminator names', () => {
    const kind = { type: 'object', required: ['kind'], properties: { kind: { type: 'string' } } }
    const components = { Cat: kind, Dog: kind }
    const schema = {
      anyOf: [ref('Cat'), ref('Dog')],
      discriminator: { propertyName: 'kind', mapping: { cat: '#/components/schemas/Cat', dog: 'Dog' } },
    }
    expect(generate(schema, components)).toEqual({ kind: 'cat' })
    expect(generate({ ...schema, discriminator: { propertyName: 'kind' } }, components)).toEqual({ kind: 'Cat' })
  })
})

test('what may only be sent is left out, though it is required', () => {
  const schema = {
    type: 'object',
    required: ['name', 'password'],
    properties: { name: { const: 'x' }, password: { type: 'string', writeOnly: true } },
  }
  expect(generate(schema)).toEqual({ name: 'x' })
})

test('examples and defaults are used where they fulfil the schema', () => {
  const make = (schema: JsonObject): unknown => new ValueGenerator({}, new Random(1), true).generate(schema)
  const properties = {
    a: { type: 'string', examples: [1, 'first', 'second'] },
    b: { type: 'integer', default: 7 },
    c: { type: 'integer', example: 'wrong', minimum: 3, maximum: 3 },
  }
  expect(make({ type: 'object', properties })).toEqual({ a: 'first', b: 7, c: 3 })
})

test('a schema that nothing fulfils gives nothing', () => {
  const impossible: JsonValue[] = [
    false,
    { type: 'string', minLength: 3, maxLength: 2 },
    { allOf: [{ type: 'null' }, { type: 'string' }] },
  ]
  expect(impossible.map((schema) => generate(schema))).toEqual([undefined, undefined, undefined])
})

test('names of properties are names and nothing else', () => {
  const properties = { __proto__x: { const: 1 }, constructor: { const: 2 }, toString: { const: 3 } }
  const made = generate({ type: 'object', required: ['__proto__'], properties })
  expect(Object.keys(made ?? {})).toEqual(['__proto__', '__proto__x', 'constructor', 'toString'])
})

/** Schemas with all kinds of bounds that leave room for at least one value. */
function schemas(): fc.Arbitrary<JsonObject> {
  const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -50, max: 50 }) }),
      fc.tuple(fc.integer({ min: -9, max: 9 }), fc.nat(9)).map(([least, more]) => {
        return { type: 'number', minimum: least, maximum: least + more, multipleOf: 0.5 }
      }),
      fc.tuple(fc.nat(20), fc.nat(20)).map(([least, more]) => {
        return { type: 'string', minLength: least, maxLength: least + more }
      }),
      fc.constantFrom('date-time', 'uuid', 'ipv4', 'email').map((format) => ({ type: 'string', format })),
      fc
        .uniqueArray(fc.oneof(fc.integer(), fc.string(), fc.constant(null)), { minLength: 1 })
        .map((all) => ({ enum: all })),
      fc.tuple(tie('schema'), fc.nat(3)).map(([items, minItems]) => ({ type: 'array', items, minItems })),
      fc.dictionary(fc.string({ maxLength: 5 }), tie('schema'), { maxKeys: 4 }).map((properties) => {
        return { type: 'object', properties, required: Object.keys(properties).slice(1) }
      }),
      fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    ),
  }))
  return schema
}
