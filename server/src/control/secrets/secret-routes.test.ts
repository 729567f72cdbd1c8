import { expect, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { isJsonObject } from '../../kernel/json.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const document = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  paths: { '/books': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } },
}

const secrets = '/workspaces/default/secrets'
const upstream = {
  name: 'shop',
  targets: [{ url: 'http://127.0.0.1:9001' }],
  headers: [{ name: 'authorization', value: '${secret:shop-token}' }],
}

/** A policy whose configuration is the value of a secret. */
const signed = { kind: 'headers', config: { request: { set: { 'x-signature': '${secret:shop-token}' } } } }

async function deployBooks({ done }: TestControl, policies: readonly unknown[]): Promise<void> {
  await done('POST', '/workspaces/default/apis', { name: 'books' })
  const settings = { name: '1.0.0', basePath: '/shop', upstream: 'shop', policies }
  await done('POST', '/workspaces/default/apis/books/versions', { settings, document })
  await done('POST', '/workspaces/default/apis/books/versions/1.0.0/revisions')
  await done('POST', '/workspaces/default/deployments', { api: 'books', version: '1.0.0' })
}

function lineOf({ control }: TestControl, key: string): string {
  return control.feed.treeOf('production')?.get(key) ?? ''
}

describeOnEveryStore('secrets', (store) => {
  test('are listed with who changed them when, and their values never come out', async () => {
    const control = await testControl({ database: await store.open() })
    const created = await control.call('POST', secrets, { body: { name: 'shop-token', value: 'hidden-1' } })
    expect([created.status, created.headers.get('etag')]).toEqual([201, '"1"'])
    const set = await control.call('PUT', `${secrets}/shop-token`, {
      body: { value: 'hidden-2' },
      headers: { 'if-match': '"1"' },
    })
    const shown = await control.call('GET', `${secrets}/shop-token`)
    const listed = await control.done('GET', secrets)
    expect(listed['items']).toEqual([
      expect.objectContaining({ name: 'shop-token', hasValue: true, revision: 2, updatedAt: expect.any(String) }),
    ])
    const audit = await control.done('GET', '/audit')
    expect(JSON.stringify([created.body, set.body, shown.body, listed, audit])).not.toContain('hidden')
    const rows = await control.database.read.selectFrom('resources').select('spec').execute()
    expect(JSON.stringify(rows)).not.toContain('hidden')
  })

  test('are not created twice, not changed without If-Match nor by somebody who knows an older version', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', secrets, { name: 'a', value: '1' })
    expect((await call('POST', secrets, { body: { name: 'a', value: '2' } })).body['code']).toBe('admin.taken')
    const set = (ifMatch: Record<string, string>) =>
      call('PUT', `${secrets}/a`, { body: { value: '2' }, headers: ifMatch })
    expect((await set({})).status).toBe(428)
    expect((await set({ 'if-match': '"1"' })).status).toBe(200)
    expect((await set({ 'if-match': '"1"' })).status).toBe(412)
    expect((await call('PUT', `${secrets}/b`, { body: { value: '2' }, headers: { 'if-match': '*' } })).status).toBe(404)
  })

  test('reach the gateways with a new value wherever they are referred to', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    await done('POST', secrets, { name: 'shop-token', value: 'old-value-of-it' })
    await done('POST', '/workspaces/default/upstreams', upstream)
    await deployBooks(control, [signed])
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain('old-value-of-it')
    await done('PUT', `${secrets}/shop-token`, { value: 'new-value-of-it' }, { 'if-match': '"1"' })
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain('new-value-of-it')
    expect(lineOf(control, 'upstreams/shop')).toContain('new-value-of-it')
    expect(lineOf(control, 'upstreams/shop') + lineOf(control, 'apis/books/1.0.0')).not.toContain('old-value-of-it')
  })

  test('of a document keep their values when they move in it and another one takes their place', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    const shop = (headers: readonly unknown[]) => ({ ...upstream, headers })
    const moved = [
      { name: 'x-new', value: 'new-value-of-it' },
      { name: 'authorization', value: '${secret:upstreams.shop.headers.0.value}' },
    ]
    await done('POST', '/workspaces/default/upstreams', shop([{ name: 'authorization', value: 'old-value-of-it' }]))
    for (const _ of ['and', 'again']) {
      await done('PUT', '/workspaces/default/upstreams/shop', shop(moved), { 'if-match': '*' })
      const { line } = await control.database.read
        .selectFrom('snapshot_lines')
        .select('line')
        .where('key', '=', 'upstreams/shop')
        .executeTakeFirstOrThrow()
      expect(line).toMatch(/new-value-of-it.*old-value-of-it/)
    }
  })

  test('reach the gateways through the policies of the workspace', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    await done('POST', secrets, { name: 'shop-token', value: 'first-value-of-it' })
    await done('POST', '/workspaces/default/upstreams', { ...upstream, headers: [] })
    await deployBooks(control, [])
    const workspace = { settings: { policies: [signed] } }
    await done('PUT', '/workspaces/default', workspace, { 'if-match': '*' })
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain('first-value-of-it')
    await done('PUT', `${secrets}/shop-token`, { value: 'second-value-of-it' }, { 'if-match': '*' })
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain('second-value-of-it')
  })

  test('reach the gateways when the document in which they were written is written again with another value', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    const guard = (secret: string) => ({ kind: 'jwt', config: { secret, algorithms: ['HS256'] } })
    const [first, second, third] = ['first-', 'second-', 'third-'].map((each) => each.repeat(8))
    await done('POST', '/workspaces/default/upstreams', { ...upstream, headers: [] })
    await deployBooks(control, [])
    const put = (secret = '') =>
      done('PUT', '/workspaces/default', { settings: { policies: [guard(secret)] } }, { 'if-match': '*' })
    await put(first)
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain(first)
    await put(second)
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain(second)
    const document = { headgate: 1, policies: [guard(third ?? '')] }
    const { outcomes } = await done('POST', '/workspaces/default/apply', { document })
    expect(outcomes).toContainEqual({ kind: 'policies', name: 'default', action: 'changed', changes: [] })
    await expect.poll(() => lineOf(control, 'apis/books/1.0.0')).toContain(third)
    expect(await done('POST', '/workspaces/default/apply', { document })).toMatchObject({ changed: false })
  })

  test('of two versions are two, also where their names and those of their APIs have the same dots', async () => {
    const control = await testControl({ database: await store.open() })
    for (const [api, name] of [
      ['a', '1.0'],
      ['a.1', '0'],
    ] as const) {
      await control.done('POST', '/workspaces/default/apis', { name: api })
      const policies = [{ kind: 'jwt', config: { issuer: 'https://issuer.test', secret: `${'k'.repeat(32)} ${api}` } }]
      const routes = [{ name: 'all', match: { path: '/*' } }]
      await control.done('POST', `/workspaces/default/apis/${api}/versions`, { settings: { name, policies, routes } })
    }
    const { items } = await control.done('GET', secrets)
    const names = Array.isArray(items) ? items.map((each) => (isJsonObject(each) ? each['name'] : undefined)) : []
    expect(names).toEqual(['apis.a..1.0.policies.0.config.secret', 'apis.a.1.0.policies.0.config.secret'])
  })

  test('keep their value when something that refers to them would not be valid with the new one', async () => {
    const control = await testControl({ database: await store.open() })
    const { call, done } = control
    const { cert, key } = createCertificate('shop.example.com', { names: ['shop.example.com'] })
    await done('POST', secrets, { name: 'tls-key', value: key })
    await done('POST', '/workspaces/default/certificates', { name: 'shop', chain: cert, key: '${secret:tls-key}' })
    const set = { body: { value: 'no key' }, headers: { 'if-match': '"1"' } }
    expect((await call('PUT', `${secrets}/tls-key`, set)).status).toBe(422)
    expect(await done('GET', `${secrets}/tls-key`)).toMatchObject({ revision: 1 })
  })

  test('stay while something live refers to them, and go when nothing does', async () => {
    const control = await testControl({ database: await store.open() })
    const { call, done } = control
    await done('POST', secrets, { name: 'shop-token', value: 'old-value-of-it' })
    await done('POST', secrets, { name: 'shop_token', value: 'of a similar name' })
    await done('POST', '/workspaces/default/upstreams', upstream)
    const remove = (name: string) => call('DELETE', `${secrets}/${name}`, { headers: { 'if-match': '"1"' } })
    const refused = await remove('shop-token')
    expect([refused.status, refused.body['detail']]).toEqual([409, 'The upstream shop refers to it.'])
    expect((await remove('shop_token')).status).toBe(204)
    await done('DELETE', '/workspaces/default/upstreams/shop', undefined, { 'if-match': '*' })
    expect((await remove('shop-token')).status).toBe(204)
    expect((await call('GET', `${secrets}/shop-token`)).status).toBe(404)
  })
})
