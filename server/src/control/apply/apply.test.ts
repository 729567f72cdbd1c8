import { expect, test } from 'vitest'
import type { JsonObject } from '../../kernel/json.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const spec = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  paths: { '/books': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } },
})

const document = {
  headgate: 1,
  policies: [{ kind: 'request-size', config: { maxBodyBytes: 1000 } }],
  upstreams: [
    { name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] },
    { name: 'other', targets: [{ url: 'http://127.0.0.1:9002' }] },
  ],
  apis: [
    {
      name: 'books',
      version: '1.0.0',
      owner: 'a@example.com',
      basePath: '/shop',
      upstream: 'shop',
      spec: './books.json',
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
}

function applying(control: TestControl, change: JsonObject = document, source = 'ci'): Promise<JsonObject> {
  const body = { document: change, files: { './books.json': spec }, source }
  return control.done('POST', '/workspaces/default/apply', body)
}

function keysOf({ control }: TestControl): string[] {
  return [...(control.feed.treeOf('production')?.lines() ?? [])].map(({ key }) => key).toSorted()
}

describeOnEveryStore('apply and export', (store) => {
  test('a document becomes what the gateways run', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control)
    await expect
      .poll(() => keysOf(control))
      .toEqual([
        'apis/books/1.0.0',
        'consumers/acme',
        'header',
        'products/basic',
        'routes/books/1.0.0/list',
        'upstreams/other',
        'upstreams/shop',
      ])
    expect(control.control.feed.treeOf('production')?.get('apis/books/1.0.0')).toContain('request-size')
  })

  test('applying the same again changes nothing', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control)
    await expect.poll(() => keysOf(control)).toContain('consumers/acme')
    const before = control.control.feed.current('production')
    const again = await applying(control)
    expect(again['changed']).toBe(false)
    expect(control.control.feed.current('production')).toEqual(before)
  })

  test('an export is the same byte for byte after it was applied, here and on an empty installation', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control)
    const first = await control.done('GET', '/workspaces/default/export')
    const { document: exported, files } = first
    await control.done('POST', '/workspaces/default/apply', { document: exported, files, source: 'ci' })
    expect(JSON.stringify(await control.done('GET', '/workspaces/default/export'))).toBe(JSON.stringify(first))
    const empty = await testControl({ database: await store.open() })
    await empty.done('POST', '/workspaces/default/apply', { document: exported, files, source: 'ci' })
    expect(JSON.stringify(await empty.done('GET', '/workspaces/default/export'))).toBe(JSON.stringify(first))
  })

  test('only what the same source applied before is removed', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control)
    await control.done('POST', '/workspaces/default/upstreams', {
      name: 'by-hand',
      targets: [{ url: 'http://127.0.0.1:1' }],
    })
    const smaller = { ...document, upstreams: document.upstreams.slice(0, 1), products: [], consumers: [] }
    await applying(control, { headgate: 1 }, 'another-source')
    await applying(control, smaller)
    await expect
      .poll(() => keysOf(control))
      .toEqual(['apis/books/1.0.0', 'header', 'routes/books/1.0.0/list', 'upstreams/by-hand', 'upstreams/shop'])
  })

  test('a dry run says what would change, field by field, and changes nothing', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control)
    const before = await control.done('GET', '/workspaces/default/export')
    const changed = { ...document, apis: [{ ...document.apis[0], basePath: '/elsewhere' }] }
    const body = { document: changed, files: { 'books.json': spec }, source: 'ci' }
    const { outcomes } = await control.done('POST', '/workspaces/default/apply?dryRun=true', body)
    expect(outcomes).toContainEqual({
      kind: 'version',
      name: 'books 1.0.0',
      action: 'changed',
      changes: [{ pointer: '/settings/basePath', before: '/shop', after: '/elsewhere' }],
    })
    expect(await control.done('GET', '/workspaces/default/export')).toEqual(before)
  })

  test('a document with one mistake changes nothing at all', async () => {
    const control = await testControl({ database: await store.open() })
    const wrong = { ...document, consumers: [{ name: 'acme', subscriptions: [{ product: 'nothing', plan: 'free' }] }] }
    const body = { document: wrong, files: { 'books.json': spec } }
    const answer = await control.call('POST', '/workspaces/default/apply', { body })
    expect(answer.status).toBe(422)
    expect(keysOf(control)).toEqual(['header'])
  })

  test('keys and subscriptions that people made stay when the file does not name them, pending ones too', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    const products = [
      { name: 'basic', apis: ['books'], plans: [{ name: 'free' }] },
      { name: 'more', apis: ['books'], plans: [{ name: 'paid', approval: true }] },
    ]
    await applying(control, { ...document, products })
    const consumer = '/workspaces/default/consumers/acme'
    await done('POST', `${consumer}/credentials?environment=production`, { name: 'by-hand' })
    const wish = { consumer: 'acme', environment: 'production', product: 'more', plan: 'paid' }
    expect(await done('POST', '/workspaces/default/subscriptions', wish)).toMatchObject({ state: 'pending' })
    await applying(control, { ...document, products, consumers: [{ name: 'acme' }] })
    const { items: keys } = await done('GET', `${consumer}/credentials?environment=production`)
    expect(keys).toMatchObject([{ name: 'by-hand', state: 'active' }])
    const { items: subscriptions } = await done('GET', '/workspaces/default/subscriptions')
    expect(subscriptions).toMatchObject([{ product: 'more', state: 'pending' }])
  })

  test('a key that another consumer has is refused by its name', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control)
    await control.done('POST', '/environments', { name: 'staging' })
    const consumers = [{ name: 'acme', keys: [{ name: 'main', value: 'a-key-of-acme' }] }]
    const body = { document: { headgate: 1, consumers }, environment: 'staging', source: 'other' }
    const { status, body: answer } = await control.call('POST', '/workspaces/default/apply', { body })
    expect([status, answer['detail']]).toEqual([409, expect.stringMatching(/^The key acme\/main belongs to another/)])
  })

  test('a secret without a value holds back what needs it, and nothing else', async () => {
    const control = await testControl({ database: await store.open() })
    const shop = { name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] }
    const other = { name: 'other', targets: [{ url: 'http://127.0.0.1:9002' }] }
    const headers = [{ name: 'authorization', value: '${secret:shop-token}' }]
    const wanted = { ...document, upstreams: [{ ...shop, headers }, other] }
    const first = await applying(control, wanted)
    const held = (answer: JsonObject) => JSON.stringify(answer['outcomes']).match(/[^{]*held-back[^}]*/g) ?? []
    expect(held(first)).toHaveLength(2)
    expect(held(first).join()).toMatch(/"upstream","name":"shop".*needs a value of the secret shop-token/)
    expect(held(first).join()).toMatch(/"version","name":"books 1.0.0".*needs the upstream shop/)
    await expect.poll(() => keysOf(control)).toEqual(['consumers/acme', 'header', 'products/basic', 'upstreams/other'])
    await control.done('POST', '/workspaces/default/secrets', { name: 'shop-token', value: 'the-value-of-it' })
    expect(held(await applying(control, wanted))).toEqual([])
    await expect.poll(() => keysOf(control)).toContain('routes/books/1.0.0/list')
    // One that is live stays as it is when what it should become has to wait.
    const later = {
      ...document,
      upstreams: [{ ...shop, headers: [{ name: 'x-key', value: '${secret:later}' }] }, other],
    }
    expect(held(await applying(control, later)).join()).toContain('needs a value of the secret later')
    expect(keysOf(control)).toContain('upstreams/shop')
    expect(keysOf(control)).toContain('routes/books/1.0.0/list')
  })
})

test('what another source manages from now on is said to be so, though nothing in it changes', async () => {
  const { done } = await testControl()
  const document = { headgate: 1, consumers: [{ name: 'acme' }] }
  await done('POST', '/workspaces/default/apply', { document, source: 'first' })
  const { outcomes } = await done('POST', '/workspaces/default/apply', { document, source: 'second' })
  const reason = '"second" manages it from now on'
  expect(outcomes).toEqual([{ kind: 'consumer', name: 'acme', action: 'changed', changes: [], reason }])
})
