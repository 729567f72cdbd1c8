import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../test/database.ts'
import { testControl, type TestControl } from '../../test/test-control.ts'

const document = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  paths: { '/books': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } },
}

async function publishBooks(control: TestControl): Promise<void> {
  const { done } = control
  const secret = { name: 'authorization', value: 'Bearer top-secret' }
  await done('POST', '/workspaces/default/upstreams', {
    name: 'shop',
    targets: [{ url: 'http://127.0.0.1:9001' }],
    headers: [secret],
  })
  await done('POST', '/workspaces/default/apis', { name: 'books' })
  const settings = { name: '1.0.0', basePath: '/shop', upstream: 'shop', policies: [{ kind: 'key-auth' }] }
  await done('POST', '/workspaces/default/apis/books/versions', { settings, document })
  await done('POST', '/workspaces/default/apis/books/versions/1.0.0/revisions')
  await done('POST', '/workspaces/default/deployments', { api: 'books', version: '1.0.0' })
}

function linesOf({ control }: TestControl): string[] {
  return [...(control.feed.treeOf('production')?.lines() ?? [])].map(({ key }) => key).toSorted()
}

describeOnEveryStore('the control plane', (store) => {
  test('brings an API from its document into the snapshot of an environment', async () => {
    const control = await testControl({ database: await store.open() })
    await publishBooks(control)
    await expect
      .poll(() => linesOf(control))
      .toEqual(['apis/books/1.0.0', 'header', 'routes/books/1.0.0/list', 'upstreams/shop'])
  })

  test('keeps literal secrets sealed and apart from the documents', async () => {
    const control = await testControl({ database: await store.open() })
    await publishBooks(control)
    const resources = await control.database.read.selectFrom('resources').select('spec').execute()
    const audit = await control.database.read.selectFrom('audit').select('after').execute()
    expect(JSON.stringify([resources, audit])).not.toContain('top-secret')
    await expect.poll(() => control.control.feed.treeOf('production')?.get('upstreams/shop')).toContain('top-secret')
  })

  test('refuses a change without If-Match, and one of a version that was changed meanwhile', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    const path = '/workspaces/default/apis/books'
    const body = { name: 'books', owner: 'a@example.com' }
    expect((await call('PUT', path, { body })).status).toBe(428)
    expect((await call('PUT', path, { body, headers: { 'if-match': '"1"' } })).status).toBe(200)
    expect((await call('PUT', path, { body, headers: { 'if-match': '"1"' } })).status).toBe(412)
  })

  test('gives one winner among concurrent changes of the same thing', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    const attempts = Array.from({ length: 5 }, (_, index) =>
      call('PUT', '/workspaces/default/apis/books', {
        body: { name: 'books', owner: `${index}@example.com` },
        headers: { 'if-match': '"1"' },
      }),
    )
    const statuses = (await Promise.all(attempts)).map(({ status }) => status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412, 412])
  })

  test('undoes a dry run, and says everything that the write would have said', async () => {
    const { call } = await testControl({ database: await store.open() })
    const dry = await call('POST', '/workspaces/default/apis?dryRun=true', { body: { name: 'books' } })
    expect([dry.status, dry.headers.get('headgate-dry-run')]).toEqual([201, 'true'])
    expect((await call('GET', '/workspaces/default/apis/books')).status).toBe(404)
  })

  test('answers a creation that is sent again under its Idempotency-Key as the first time', async () => {
    const { call, database } = await testControl({ database: await store.open() })
    await call('POST', '/workspaces/default/consumers', { body: { name: 'acme' } })
    const send = (name: string) =>
      call('POST', '/workspaces/default/consumers/acme/credentials', {
        body: { name },
        headers: { 'idempotency-key': 'once' },
      })
    const first = await send('main')
    const second = await send('main')
    expect([second.status, second.body]).toEqual([201, first.body])
    expect((await send('other')).status).toBe(422)
    const kept = await database.read.selectFrom('idempotency').select('body').executeTakeFirstOrThrow()
    expect(kept.body).not.toContain(JSON.stringify(first.body['key']).slice(1, -1))
  })

  test('refuses two APIs that claim the same host and path in one environment', async () => {
    const control = await testControl({ database: await store.open() })
    await publishBooks(control)
    const { call, done } = control
    await done('POST', '/workspaces/default/apis', { name: 'other' })
    const settings = { name: '1.0.0', basePath: '/shop', upstream: 'shop' }
    await done('POST', '/workspaces/default/apis/other/versions', { settings, document })
    await done('POST', '/workspaces/default/apis/other/versions/1.0.0/revisions')
    const refused = await call('POST', '/workspaces/default/deployments', { body: { api: 'other', version: '1.0.0' } })
    expect([refused.status, refused.body['code']]).toEqual([409, 'deployment.route_taken'])
    expect(linesOf(control)).not.toContain('apis/other/1.0.0')
  })

  test('brings back what was live before with one call', async () => {
    const control = await testControl({ database: await store.open() })
    await publishBooks(control)
    const { call, done } = control
    const path = '/workspaces/default/apis/books/versions/1.0.0'
    const settings = { name: '1.0.0', basePath: '/other', upstream: 'shop' }
    await done('PUT', path, { settings }, { 'if-match': '"1"' })
    await done('POST', `${path}/revisions`)
    const second = await done('POST', '/workspaces/default/deployments', { api: 'books', version: '1.0.0' })
    const route = (): string => control.control.feed.treeOf('production')?.get('routes/books/1.0.0/list') ?? ''
    await expect.poll(route).toContain('/other/books')
    const undone = await call(
      'POST',
      `/workspaces/default/deployments/${JSON.stringify(second['id']).slice(1, -1)}/rollback`,
      { body: {} },
    )
    expect([undone.status, undone.body['revision']]).toEqual([201, 1])
    await expect.poll(route).toContain('/shop/books')
  })
})
