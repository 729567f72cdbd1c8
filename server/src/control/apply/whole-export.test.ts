import { expect, test } from 'vitest'
import { applyDocument, exportedDocument } from '../../../test/apply-document.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { createCertificate } from '../../../test/certificates.ts'
import { textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { configDocument } from '../../config/schema/document.ts'
import { referredSecrets } from '../resources/secret-references.ts'

const AT = '/workspaces/default'
const { cert, key } = createCertificate('a.test', { names: ['a.test'] })
const signing = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const jwt = { kind: 'jwt', config: { secret: 's'.repeat(32), audiences: ['a'] } }
const respond = { kind: 'respond', config: { body: 'file:/etc/hosts costs ${HOME}' } }

/** Every key that a document can have, with secrets wherever they may stand; settings of gateways keep theirs. */
const document: JsonObject = {
  headgate: 1,
  gateway: { serverTiming: false },
  policies: [{ kind: 'request-size', config: { maxBodyBytes: 1000 } }],
  policyLists: [{ name: 'guard', apis: ['books'], policies: [jwt] }],
  upstreams: [
    {
      name: 'shop',
      targets: [{ url: 'https://shop.example.com' }],
      tls: { cert, key },
      headers: [{ name: 'x-key', value: 'a-secret' }],
    },
  ],
  apis: [
    {
      name: 'books',
      version: '1',
      upstream: 'shop',
      routes: [{ name: 'all', match: { path: '/*' }, policies: [respond] }],
    },
  ],
  products: [{ name: 'basic', apis: ['books'], plans: [{ name: 'free' }] }],
  consumers: [
    {
      name: 'acme',
      keys: [{ name: 'main', value: 'a-key-of-acme' }],
      subscriptions: [{ product: 'basic', plan: 'free' }],
    },
  ],
  certificates: [{ name: 'a', chain: cert, key }],
  webhooks: [{ name: 'ci', url: 'https://ci.example.com/', secret: signing }],
}

async function apply(control: TestControl, whole: JsonObject): Promise<string[]> {
  return (await applyDocument(control, whole)).map(({ action }) => textOf(action))
}

/** What stands behind a reference of the export, by the place that it is named after. */
function valueOf(name: string): string {
  if (name.endsWith('.key')) return key
  if (name.startsWith('webhooks.')) return signing
  return name.includes('policies.') ? 's'.repeat(32) : 'a-secret'
}

describeOnEveryStore('an export of everything', (store) => {
  test('is the same byte for byte from an empty installation that was given its secrets', async () => {
    expect(Object.keys(document).toSorted()).toEqual(Object.keys(configDocument.shape).toSorted())
    const control = await testControl({ database: await store.open() })
    expect(await apply(control, document)).not.toContain('held-back')
    const first = await exportedDocument(control)
    expect(Object.keys(first).toSorted()).toEqual(Object.keys(document).toSorted())
    const empty = await testControl({ database: await store.open() })
    for (const name of referredSecrets(JSON.stringify(first))) {
      await empty.done('POST', `${AT}/secrets`, { name, value: valueOf(name) })
    }
    expect(await apply(empty, first)).not.toContain('held-back')
    expect(JSON.stringify(await exportedDocument(empty))).toBe(JSON.stringify(first))
  })
})
