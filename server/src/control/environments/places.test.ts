import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { testControl, type Answered, type TestControl } from '../../../test/test-control.ts'

const AT = '/environments/production/places'

type Places = Readonly<Record<string, readonly string[]>>

/** Two tenants beside the default workspace, and where each may publish. */
async function tenants(store: TestStore, places: Places): Promise<TestControl> {
  const control = await testControl({ database: await store.open() })
  for (const name of ['red', 'blue']) await control.done('POST', '/workspaces', { name })
  expect((await give(control, places)).status).toBe(200)
  return control
}

function give({ call }: TestControl, workspaces: Places): Promise<Answered> {
  return call('PUT', AT, { body: { workspaces }, headers: { 'if-match': '*' } })
}

/** Deploys an API of one route; the answer to the deployment. */
async function serve({ done, call }: TestControl, workspace: string, path: string, hosts: string[] = []) {
  const at = `/workspaces/${workspace}`
  const { items } = await done('GET', `${at}/apis`)
  const api = `api-${Array.isArray(items) ? items.length : 0}`
  await done('POST', `${at}/apis`, { name: api })
  const routes = [{ name: 'all', match: { path, hosts }, policies: [{ kind: 'respond', config: { body: 'x' } }] }]
  await done('POST', `${at}/apis/${api}/versions`, { settings: { name: '1', routes } })
  await done('POST', `${at}/apis/${api}/versions/1/revisions`)
  return call('POST', `${at}/deployments`, { body: { api, version: '1' } })
}

const outcome = ({ status, body }: Answered) => [status, body['code'] ?? body['state']]
const LIVE = [201, 'active']
const REFUSED = [403, 'deployment.outside_places']

describeOnEveryStore('a workspace that was given places', (store) => {
  test('publishes within them', async () => {
    const control = await tenants(store, { red: ['red.test', '*.red.test', '*/red', 'shared.test/R%65d/'] })
    expect(outcome(await serve(control, 'red', '/*', ['red.test', 'a.b.red.test']))).toEqual(LIVE)
    expect(outcome(await serve(control, 'red', '/x', ['*.eu.red.test']))).toEqual(LIVE)
    expect(outcome(await serve(control, 'red', '/red/*'))).toEqual(LIVE)
    expect(outcome(await serve(control, 'red', '/red', ['any.test']))).toEqual(LIVE)
    expect(outcome(await serve(control, 'red', '/Red/books/{id}', ['SHARED.test']))).toEqual(LIVE)
  })

  const attacks: readonly (readonly [what: string, path: string, ...hosts: string[]])[] = [
    ['everything', '/*'],
    ['a place on any host', '/pay'],
    ['a host of nobody yet', '/*', 'blue.test'],
    ['a host beside one of its own', '/*', 'red.test', 'blue.test'],
    ['a host that ends alike', '/*', 'evilred.test'],
    ['a wildcard above its own', '/x', '*.test'],
    ['a path that begins alike', '/redder'],
    ['a parameter where its path has text', '/{any}/x'],
    ['a path above its own', '/', 'shared.test'],
  ]

  test.each(attacks)('does not get %s', async (_what, path, ...hosts) => {
    const control = await tenants(store, { red: ['red.test', '*.red.test', '*/red', 'shared.test/red'] })
    const refused = await serve(control, 'red', path, hosts)
    expect(outcome(refused)).toEqual(REFUSED)
    expect(refused.body['detail']).toContain('red.test, *.red.test, */red, shared.test/red')
    expect(await control.database.read.selectFrom('route_claims').selectAll().execute()).toEqual([])
  })

  test('leaves those free that are not named, or holds all of them to what others have', async () => {
    const control = await tenants(store, { red: ['red.test'] })
    expect(outcome(await serve(control, 'blue', '/pay'))).toEqual(LIVE)
    await give(control, { red: ['red.test'], '*': [] })
    expect(outcome(await serve(control, 'blue', '/more'))).toEqual(REFUSED)
    expect(outcome(await serve(control, 'default', '/more'))).toEqual(REFUSED)
    expect(outcome(await serve(control, 'red', '/free/*', ['red.test']))).toEqual(LIVE)
  })

  test('keeps what is live elsewhere until it deploys it again; whoever runs the environment sees it', async () => {
    const control = await tenants(store, {})
    expect(outcome(await serve(control, 'red', '/*'))).toEqual(LIVE)
    const { body } = await give(control, { red: ['red.test'] })
    expect(body['outside']).toEqual([{ workspace: 'red', place: '/* on any host' }])
    expect((await control.done('GET', AT))['outside']).toEqual(body['outside'])
    expect((await control.done('GET', '/workspaces/red/deployments'))['items']).toMatchObject([{ state: 'active' }])
    const again = await control.call('POST', '/workspaces/red/deployments', { body: { api: 'api-0', version: '1' } })
    expect(outcome(again)).toEqual(REFUSED)
  })

  test('is held to them by apply as well', async () => {
    const control = await tenants(store, { red: ['red.test'] })
    const routes = [{ name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { body: 'x' } }] }]
    const document = { headgate: 1, apis: [{ name: 'squat', version: '1', routes }] }
    expect(outcome(await control.call('POST', '/workspaces/red/apply', { body: { document } }))).toEqual(REFUSED)
    expect((await control.done('GET', '/workspaces/red/apis'))['items']).toEqual([])
  })

  test('gives itself no others, whatever its own people may do', async () => {
    const control = await tenants(store, { red: ['red.test'] })
    const { token } = await createPerson(control, 'owner', 'red')
    const body = { workspaces: {} }
    const refused = await control.call('PUT', AT, { token, body, headers: { 'if-match': '*' } })
    expect([refused.status, refused.body['code']]).toEqual([403, 'admin.forbidden'])
  })

  test('is named as it is called, with places that can be', async () => {
    const control = await tenants(store, {})
    const wrong = [
      'https://red.test',
      'red.test:80',
      '/red',
      'red.test/{x}',
      'red.test/*',
      'red.test/a//b',
      'red.test/..',
    ]
    const refused = await give(control, { red: wrong })
    expect(refused.status).toBe(422)
    expect(refused.body['errors']).toHaveLength(wrong.length)
    const unknown = await give(control, { rde: ['red.test'] })
    expect([unknown.status, unknown.body['errors']]).toEqual([
      422,
      [expect.objectContaining({ pointer: '/workspaces/rde' })],
    ])
  })
})
