import { expect, test } from 'vitest'
import { applyDocument } from '../../../test/apply-document.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { publishedGateway } from '../../../test/published-gateway.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default'
const auth = { kind: 'key-auth' }
/** An entry that needs a secret. */
const waiting = { kind: 'headers', config: { response: { set: { 'x-by': '${secret:later}' } } } }
const guard = [auth, waiting]

/** An API whose one route answers. */
function api(name: string, more: JsonObject = {}): JsonObject {
  const routes = [{ name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { body: name } }] }]
  return { name, version: '1', basePath: `/${name}`, routes, ...more }
}

const acme = { name: 'acme', keys: [{ name: 'main', value: 'a-key-of-acme' }] }

/** What was held back. */
async function apply(control: TestControl, document: JsonObject): Promise<string[]> {
  const outcomes = await applyDocument(control, document)
  return outcomes
    .filter(({ action }) => action === 'held-back')
    .map(({ kind, name }) => `${textOf(kind)} ${textOf(name)}`)
}

/** What somebody is answered who has the key of acme, if any. */
async function answers(control: TestControl, path: string, key?: string): Promise<number> {
  const gateway = await publishedGateway(control)
  const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key }
  return (await gateway.inject(`GET ${path}`, { headers })).status
}

function setSecret({ done }: TestControl): Promise<JsonObject> {
  return done('POST', `${AT}/secrets`, { name: 'later', value: 'the-value-of-it' })
}

function open(store: TestStore): Promise<TestControl> {
  return store.open().then((database) => testControl({ database }))
}

const places: readonly (readonly [string, JsonObject])[] = [
  ['policies default', { policies: guard }],
  ['policy-list everywhere', { policyLists: [{ name: 'everywhere', default: true, policies: guard }] }],
  ['policy-list some', { policyLists: [{ name: 'some', apis: ['books'], policies: guard }] }],
]

describeOnEveryStore('while a secret has no value', (store) => {
  test.each(places)('no version goes live that %s is to guard', async (place, part) => {
    const control = await open(store)
    const document = { ...part, apis: [api('books')], consumers: [acme] }
    expect(await apply(control, document)).toEqual([place, 'version books 1'])
    expect(await answers(control, '/books/x')).toBe(404)
    await setSecret(control)
    expect(await apply(control, document)).toEqual([])
    expect(await answers(control, '/books/x')).toBe(401)
  })

  test('no version goes live that a product is to keep for its subscribers', async () => {
    const control = await open(store)
    const products = [{ name: 'shop', apis: ['books'], plans: [{ name: 'free', policies: [waiting] }] }]
    const document = { products, apis: [api('books', { policies: [auth] })], consumers: [acme] }
    expect(await apply(control, document)).toEqual(['product shop', 'version books 1'])
    expect(await answers(control, '/books/x', 'a-key-of-acme')).toBe(404)
    await setSecret(control)
    expect(await apply(control, document)).toEqual([])
    expect(await answers(control, '/books/x')).toBe(401)
  })

  test('authentication that moves to where something waits stays where it was', async () => {
    const control = await open(store)
    const apis = [api('books')]
    await apply(control, { apis, policyLists: [{ name: 'old', default: true, policies: [auth] }] })
    const held = ['policies default', 'version books 1', 'policy-list old']
    expect(await apply(control, { apis, policies: guard })).toEqual(held)
    expect(await answers(control, '/books/x')).toBe(401)
    await setSecret(control)
    expect(await apply(control, { apis, policies: guard })).toEqual([])
    expect((await control.done('GET', `${AT}/policies`))['items']).toEqual([])
    expect(await answers(control, '/books/x')).toBe(401)
  })

  test('authentication that moves into a version that waits stays with the workspace, and with the product', async () => {
    const control = await open(store)
    const products = [{ name: 'shop', apis: ['books'], plans: [{ name: 'free' }] }]
    await apply(control, { products, policies: [auth], apis: [api('books')], consumers: [acme] })
    const opened = products.map((each) => ({ ...each, access: 'open' }))
    const moved = { products: opened, policies: [], apis: [api('books', { policies: guard })], consumers: [acme] }
    expect(await apply(control, moved)).toEqual(['version books 1', 'policies default', 'product shop'])
    expect(await answers(control, '/books/x')).toBe(401)
    expect((await control.done('GET', `${AT}/products/shop`))['spec']).toEqual(products[0])
  })

  test('an API that nothing of it guards goes live', async () => {
    const control = await open(store)
    const policyLists = [{ name: 'some', apis: ['books'], policies: guard }]
    const held = ['policy-list some', 'version books 1']
    expect(await apply(control, { policyLists, apis: [api('books'), api('films')] })).toEqual(held)
    expect([await answers(control, '/books/x'), await answers(control, '/films/x')]).toEqual([404, 200])
  })

  test('a list that names an API whose versions wait is applied', async () => {
    const control = await open(store)
    const policyLists = [{ name: 'some', apis: ['books'], policies: [auth] }]
    const document = { policyLists, apis: [api('books', { policies: [waiting] })] }
    expect(await apply(control, document)).toEqual(['version books 1'])
    await setSecret(control)
    expect(await apply(control, document)).toEqual([])
    expect(await answers(control, '/books/x')).toBe(401)
  })

  test('nobody subscribes to a plan that waits, which would be access without its limits', async () => {
    const control = await open(store)
    const products = [{ name: 'shop', apis: ['books'], plans: [{ name: 'free', policies: [waiting] }] }]
    const consumers = [{ ...acme, subscriptions: [{ product: 'shop', plan: 'free' }] }]
    const document = { products, consumers, apis: [api('books', { policies: [auth] })] }
    expect(await apply(control, document)).toEqual(['product shop', 'version books 1', 'consumer acme'])
    await setSecret(control)
    expect(await apply(control, document)).toEqual([])
    expect(await answers(control, '/books/x', 'a-key-of-acme')).toBe(200)
  })

  test('no version goes live before the TLS that the gateways are to have', async () => {
    const control = await open(store)
    const gateway = { tls: { minVersion: 'TLSv1.3' }, debugKey: '${secret:debug-key-of-production}' }
    const held = ['gateway-settings production', 'version books 1']
    expect(await apply(control, { gateway, apis: [api('books')] })).toEqual(held)
  })
})
