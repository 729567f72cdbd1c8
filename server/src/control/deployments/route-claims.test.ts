import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type Answered, type TestControl } from '../../../test/test-control.ts'

type Match = Readonly<Record<string, unknown>>

/** Deploys an API of one route for each match; the answer to the deployment. */
async function serve({ done, call }: TestControl, workspace: string, ...matches: Match[]): Promise<Answered> {
  const at = `/workspaces/${workspace}`
  const { items } = await done('GET', `${at}/apis`)
  const api = `api-${Array.isArray(items) ? items.length : 0}`
  await done('POST', `${at}/apis`, { name: api })
  const routes = matches.map((match, index) => ({ name: `route-${index}`, match }))
  await done('POST', `${at}/apis/${api}/versions`, { settings: { name: '1', upstream: 'shop', routes } })
  await done('POST', `${at}/apis/${api}/versions/1/revisions`)
  return call('POST', `${at}/deployments`, { body: { api, version: '1' } })
}

async function twoTenants(database: TestControl['database']): Promise<TestControl> {
  const control = await testControl({ database })
  await control.done('POST', '/workspaces', { name: 'red' })
  for (const workspace of ['default', 'red']) {
    const targets = [{ url: 'http://127.0.0.1:9001' }]
    await control.done('POST', `/workspaces/${workspace}/upstreams`, { name: 'shop', targets })
  }
  return control
}

describeOnEveryStore('a workspace cannot take the traffic of another', (store) => {
  const attacks: readonly { readonly how: string; readonly served: Match; readonly taken: Match }[] = [
    { how: 'by the same place', served: { path: '/pay' }, taken: { path: '/pay' } },
    { how: 'by a host', served: { path: '/pay' }, taken: { path: '/pay', hosts: ['api.company.test'] } },
    { how: 'by hosts', served: { path: '/pay' }, taken: { path: '/pay', hosts: ['*.company.test'] } },
    {
      how: 'by a host below its wildcard',
      served: { path: '/pay', hosts: ['*.company.test'] },
      taken: { path: '/pay', hosts: ['other.test', 'pay.eu.company.test'] },
    },
    { how: 'by a method', served: { path: '/pay' }, taken: { path: '/pay', methods: ['POST'] } },
    {
      how: 'by another method, since which is asked next is no protection',
      served: { path: '/pay', methods: ['GET'] },
      taken: { path: '/pay', methods: ['POST'] },
    },
    { how: 'by a condition', served: { path: '/pay' }, taken: { path: '/pay', when: "request.method != 'TRACE'" } },
    { how: 'by a field', served: { path: '/pay' }, taken: { path: '/pay', headers: [{ name: 'accept' }] } },
    { how: 'by a path below its prefix', served: { path: '/shop/*' }, taken: { path: '/shop/admin' } },
    { how: 'by a longer prefix', served: { path: '/shop/*' }, taken: { path: '/shop/admin/*' } },
    { how: 'by text for a parameter', served: { path: '/books/{id}/pages' }, taken: { path: '/books/7/pages' } },
    { how: 'by text beside a parameter', served: { path: '/files/{id}' }, taken: { path: '/files/{id}.json' } },
    { how: 'by a path that parts from it', served: { path: '/a/{x}/c' }, taken: { path: '/a/b/{y}' } },
    { how: 'by another encoding of its path', served: { path: '/pay' }, taken: { path: '/p%61y' } },
    { how: 'by a prefix of all, with what its router passes over', served: { path: '/pay' }, taken: { path: '/*' } },
  ]

  test.each(attacks)('$how', async ({ served, taken }) => {
    const control = await twoTenants(await store.open())
    expect((await serve(control, 'default', served)).status).toBe(201)
    const { status, body } = await serve(control, 'red', { path: '/free' }, taken)
    expect([status, body['code']]).toEqual([409, 'deployment.route_taken'])
    expect((await serve(control, 'red', { path: '/free' })).status).toBe(201)
  })

  test('and is told which path is in the way, but not whose or on which conditions', async () => {
    const control = await twoTenants(await store.open())
    const headers = [{ name: 'x-partner', value: 'known-to-few' }]
    await serve(control, 'red', { path: '/books/{isbn}', headers })
    const { body } = await serve(control, 'default', { path: '/books/new', hosts: ['api.company.test'] })
    expect(body['detail']).toBe(
      'api-0 1 claims api.company.test/books/new, but another workspace serves /books/{} on any host in production, and some requests fit both.',
    )
    expect(JSON.stringify(body)).not.toMatch(/red|x-partner|known-to-few/)
  })

  test('but may have all that the other could not get, and what it gave up', async () => {
    const control = await twoTenants(await store.open())
    const matches = [{ path: '/shop/*', hosts: ['a.company.test'] }, { path: '/pay' }]
    expect((await serve(control, 'default', ...matches)).status).toBe(201)
    const apart = [{ path: '/shop/admin', hosts: ['b.company.test'] }, { path: '/pay/all' }, { path: '/shops/{id}' }]
    expect((await serve(control, 'red', ...apart)).status).toBe(201)
    expect((await serve(control, 'red', { path: '/pay' })).status).toBe(409)
    const version = '/workspaces/default/apis/api-0/versions/1'
    const settings = { name: '1', upstream: 'shop', routes: [{ name: 'fees', match: { path: '/fees' } }] }
    await control.done('PUT', version, { settings }, { 'if-match': '*' })
    await control.done('POST', `${version}/revisions`)
    await control.done('POST', '/workspaces/default/deployments', { api: 'api-0', version: '1' })
    expect((await serve(control, 'red', { path: '/pay' })).status).toBe(201)
  })

  test('while routes of one workspace stand beside each other as before', async () => {
    const control = await twoTenants(await store.open())
    await serve(control, 'red', { path: '/elsewhere' })
    const matches = [
      { path: '/shop/*' },
      { path: '/shop/admin' },
      { path: '/shop/admin', methods: ['POST'] },
      { path: '/shop/admin', hosts: ['a.company.test'] },
    ]
    for (const match of matches) expect((await serve(control, 'default', match)).status).toBe(201)
    const { status, body } = await serve(control, 'default', { path: '/shop/admin' })
    expect([status, body['detail']]).toEqual([
      409,
      'api-4 1 claims * */shop/admin, which api-1 1 serves in production.',
    ])
  })

  test('of many hundred paths not by one among them', async () => {
    const control = await twoTenants(await store.open())
    const paths = Array.from({ length: 600 }, (_, index) => ({ path: `/store-${index}/{id}` }))
    expect((await serve(control, 'default', ...paths)).status).toBe(201)
    const beside = paths.map((_, index) => ({ path: `/store-${index}/{id}/lines` }))
    expect((await serve(control, 'red', ...beside)).status).toBe(201)
    const above = paths.map((_, index) => ({ path: `/other-${index}/{id}` }))
    const { body } = await serve(control, 'red', ...above, { path: '/store-599/top' })
    expect(body['detail']).toContain('claims /store-599/top on any host, but another workspace serves /store-599/{}')
  })
})
