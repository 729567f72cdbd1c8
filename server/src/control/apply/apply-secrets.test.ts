import { expect, test } from 'vitest'
import { z } from 'zod'
import { configDocument } from '../../config/schema/document.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { policies } from '../../policies/index.ts'
import { createCertificate } from '../../../test/certificates.ts'
import { textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { referredSecrets } from '../resources/secret-references.ts'

const AT = '/workspaces/default'
const { cert, key } = createCertificate('a.test', { names: ['a.test'] })
const signing = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const jwt = { kind: 'jwt', config: { secret: 's'.repeat(32), audiences: ['a'] } }

/** A value at each place that a schema calls secret, by the pattern of the place. */
const places: Readonly<Record<string, JsonObject>> = {
  'gateway.debugKey': { gateway: { debugKey: 'the-debug-key-of-production' } },
  'gateway.tls.certificates.*.key': { gateway: { tls: { certificates: [{ cert, key }] } } },
  'upstreams.*.tls.key': { upstreams: [upstream({ tls: { cert, key } })] },
  'upstreams.*.headers.*.value': { upstreams: [upstream({ headers: [{ name: 'x-key', value: 'a-secret' }] })] },
  'consumers.*.keys.*.value': { consumers: [{ name: 'acme', keys: [{ name: 'main', value: 'a-key-of-acme' }] }] },
  'certificates.*.key': { certificates: [{ name: 'a', chain: cert, key }] },
  'webhooks.*.secret': { webhooks: [{ name: 'ci', url: 'https://ci.example.com/', secret: signing }] },
  'webhooks.*.previousSecret': {
    webhooks: [{ name: 'ci', url: 'https://ci.example.com/', secret: signing, previousSecret: signing }],
  },
  'jwt.secret': { policies: [jwt] },
}

function upstream(more: JsonObject): JsonObject {
  return { name: 'shop', targets: [{ url: 'https://shop.example.com' }], ...more }
}

/** Where a schema has secrets: keys, `*` for the elements of a list. */
function secretsOf(schema: unknown, path: readonly string[] = []): string[] {
  if (!isJsonObject(schema)) return []
  if (schema['secret'] === true) return [path.join('.')]
  const { properties, items } = schema
  const ofProperties = Object.entries(isJsonObject(properties) ? properties : {}).flatMap(([name, inner]) =>
    secretsOf(inner, [...path, name]),
  )
  const branches = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => {
    const list = schema[word]
    return Array.isArray(list) ? list.flatMap((inner) => secretsOf(inner, path)) : []
  })
  return [...ofProperties, ...secretsOf(items, [...path, '*']), ...branches]
}

function toSchema(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' })
}

async function exported({ done }: TestControl): Promise<JsonObject> {
  const { document } = await done('GET', `${AT}/export`)
  return isJsonObject(document) ? document : {}
}

async function apply({ done }: TestControl, document: JsonObject): Promise<string[]> {
  const { outcomes } = await done('POST', `${AT}/apply`, { document: { ...document, headgate: 1 }, source: 'ci' })
  const list: readonly unknown[] = Array.isArray(outcomes) ? outcomes : []
  return list.filter(isJsonObject).map(({ action }) => textOf(action))
}

test('there is a case below for every place of a document that holds a secret', () => {
  const ofPolicies = policies.flatMap(({ kind, config }) => secretsOf(toSchema(config), [kind]))
  expect([...secretsOf(toSchema(configDocument)), ...ofPolicies].toSorted()).toEqual(Object.keys(places).toSorted())
})

describeOnEveryStore('an export', (store) => {
  test.each(Object.entries(places))('of a secret at %s says the same when it is applied again', async (_, document) => {
    const control = await testControl({ database: await store.open() })
    expect(await apply(control, document)).not.toContain('held-back')
    const first = await exported(control)
    const values = ['PRIVATE KEY', 'the-debug-key', 'a-secret', 'a-key-of-acme', signing, 's'.repeat(32)]
    for (const value of values) expect(JSON.stringify(first)).not.toContain(value)
    expect(new Set(await apply(control, first))).toEqual(new Set(['unchanged']))
    expect(JSON.stringify(await exported(control))).toBe(JSON.stringify(first))
  })

  test('of secrets under names of people, which may be short, is applied where they are set', async () => {
    const control = await testControl({ database: await store.open() })
    const secrets = { s: Buffer.alloc(32, 7).toString('base64'), k: key, w: signing }
    for (const [name, value] of Object.entries(secrets)) await control.done('POST', `${AT}/secrets`, { name, value })
    const document = {
      policies: [{ kind: 'jwt', config: { secret: '${secret:s}', secretEncoding: 'base64', audiences: ['a'] } }],
      upstreams: [upstream({ tls: { cert, key: '${secret:k}' } })],
      certificates: [{ name: 'a', chain: cert, key: '${secret:k}' }],
      webhooks: [{ name: 'ci', url: 'https://ci.example.com/', secret: '${secret:w}' }],
    }
    expect(await apply(control, document)).not.toContain('held-back')
    const first = await exported(control)
    expect([...referredSecrets(JSON.stringify(first))].toSorted()).toEqual(['k', 's', 'w'])
    expect(new Set(await apply(control, first))).toEqual(new Set(['unchanged']))
  })
  test('of a secret that turns out too short for what it is to do is refused', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', `${AT}/secrets`, { name: 'a-long-name-of-a-short-secret', value: 'short' })
    const routes = [{ name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { body: 'a' } }] }]
    const guarded = { kind: 'jwt', config: { secret: '${secret:a-long-name-of-a-short-secret}', audiences: ['a'] } }
    const document = { headgate: 1, apis: [{ name: 'books', policies: [guarded], routes }] }
    const { status, body } = await control.call('POST', `${AT}/apply`, { body: { document } })
    expect([status, body['detail']]).toEqual([422, '5 bytes are too few for HS256: 32 or more'])
  })
})
