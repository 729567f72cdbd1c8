import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { describe, expect, test } from 'vitest'
import { policies } from '../policies/index.ts'
import { generateJsonSchema } from './json-schema.ts'

const schema = generateJsonSchema(policies)
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema)
const example = join(import.meta.dirname, '../../../examples/bookshop/headgate.yaml')

function findingsFor(document: unknown): string[] {
  validate(document)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

const withPolicy = (entry: unknown): unknown => ({ headgate: 1, policies: [entry] })

describe('the JSON Schema of the document', () => {
  test('accepts the example that the documentation shows', () => {
    const bookshop: unknown = parse(readFileSync(example, 'utf8'))
    expect(findingsFor(bookshop)).toEqual([])
  })

  test.each(policies.flatMap(({ kind, examples }) => examples.map(({ title, config }) => ({ kind, title, config }))))(
    'accepts the example of $kind: $title',
    ({ kind, config }) => expect(findingsFor(withPolicy({ kind, config }))).toEqual([]),
  )

  test('refuses unknown keys at any depth', () => {
    expect(findingsFor({ headgate: 1, upsteams: [] })).not.toEqual([])
    const deep = { headgate: 1, upstreams: [{ name: 'a', targets: [{ url: 'http://a', wieght: 1 }] }] }
    expect(findingsFor(deep)).not.toEqual([])
  })

  test('refuses an unknown kind, and a key that the kind does not have', () => {
    expect(findingsFor(withPolicy({ kind: 'no-such' }))).not.toEqual([])
    expect(findingsFor(withPolicy({ kind: 'key-auth', config: { no: 1 } }))).not.toEqual([])
  })

  test('accepts references to the environment where a number, a boolean or a certain form of text is expected', () => {
    const upstream = { name: 'a', targets: [{ url: '${BACKEND}', weight: '${WEIGHT:-1}', srv: '${SRV}' }] }
    expect(findingsFor({ headgate: 1, upstreams: [upstream] })).toEqual([])
    expect(findingsFor({ headgate: 1, upstreams: [{ ...upstream, targets: [{ url: 'ftp://x' }] }] })).not.toEqual([])
    expect(
      findingsFor({ headgate: 1, upstreams: [{ ...upstream, targets: [{ url: 'http://x', weight: 'one' }] }] }),
    ).not.toEqual([])
  })
})
