import { describe, expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { createLocalUser, testBrowser, textOf } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { routes } from '../routes.ts'

async function signedIn(control: TestControl, role = '') {
  const { email, userId } = await createLocalUser(control, role)
  const browser = testBrowser(control)
  await browser.signIn(email)
  return { browser, userId }
}

describeOnEveryStore('roles and teams', (store) => {
  test('a role that was made permits what it says, where it was given, from the next request on', async () => {
    const control = await testControl({ database: await store.open() })
    for (const name of ['red', 'blue']) await control.done('POST', '/workspaces', { name })
    await control.done('POST', '/workspaces/red/roles', { name: 'reader', permissions: ['apis.read'] })
    const { browser, userId } = await signedIn(control)
    await control.done('POST', '/workspaces/red/members', { userId, role: 'reader' })
    expect((await browser.call('GET', '/workspaces/red/apis')).status).toBe(200)
    expect((await browser.call('GET', '/workspaces/red/upstreams')).status).toBe(403)
    expect((await browser.call('GET', '/workspaces/blue/apis')).status).toBe(404)
    const changed = { permissions: ['upstreams.read'] }
    await control.done('PUT', '/workspaces/red/roles/reader', changed, { 'if-match': '"1"' })
    expect((await browser.call('GET', '/workspaces/red/apis')).status).toBe(403)
    expect((await browser.call('GET', '/workspaces/red/upstreams')).status).toBe(200)
    const removed = await control.call('DELETE', '/workspaces/red/roles/reader', { headers: { 'if-match': '*' } })
    expect(removed.body['code']).toBe('admin.in_use')
  })

  test('a role of a team is one of its members, and goes with the team', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    const { browser, userId } = await signedIn(control)
    const at = '/workspaces/red'
    await control.done('POST', `${at}/teams`, { name: 'platform' })
    await control.done('POST', `${at}/members`, { team: 'platform', role: 'viewer' })
    expect((await browser.call('GET', `${at}/apis`)).status).toBe(404)
    await control.done('POST', `${at}/teams/platform/members`, { userId })
    expect((await browser.call('GET', `${at}/apis`)).status).toBe(200)
    const { items } = await control.done('GET', `${at}/members`)
    expect(items).toMatchObject([{ team: 'platform', role: 'viewer' }])
    await control.done('DELETE', `${at}/teams/platform`, undefined, { 'if-match': '*' })
    expect((await browser.call('GET', `${at}/apis`)).status).toBe(404)
    expect(await control.done('GET', `${at}/members`)).toEqual({ items: [] })
  })
})

describe('nobody gives what they do not have', () => {
  test('by making a role, by changing one, or by joining a team', async () => {
    const control = await testControl()
    await control.done('POST', '/workspaces', { name: 'red' })
    const at = '/workspaces/red'
    const own = ['roles.read', 'roles.write', 'members.read', 'members.write', 'teams.read', 'teams.write']
    await control.done('POST', `${at}/roles`, { name: 'organiser', permissions: own })
    await control.done('POST', `${at}/roles`, { name: 'mighty', permissions: ['secrets.write', 'apis.read'] })
    await control.done('POST', `${at}/teams`, { name: 'mighty' })
    await control.done('POST', `${at}/members`, { team: 'mighty', role: 'mighty' })
    const { browser, userId } = await signedIn(control)
    await control.done('POST', `${at}/members`, { userId, role: 'organiser' })
    const anyVersion = { 'if-match': '*' }
    const attempts = [
      ['POST', `${at}/roles`, { name: 'more', permissions: ['secrets.write'] }],
      ['PUT', `${at}/roles/organiser`, { permissions: [...own, 'secrets.write'] }],
      ['PUT', `${at}/roles/mighty`, { permissions: ['roles.read'] }],
      ['DELETE', `${at}/roles/mighty`, {}],
      ['POST', `${at}/members`, { userId, role: 'mighty' }],
      ['POST', `${at}/members`, { userId, role: 'owner' }],
      ['POST', `${at}/teams/mighty/members`, { userId }],
      ['DELETE', `${at}/teams/mighty`, {}],
      ['POST', '/roles', { name: 'everywhere', permissions: own }],
    ] as const
    for (const [method, path, body] of attempts) {
      const given = method === 'DELETE' ? undefined : body
      const { status } = await browser.call(method, path, given, anyVersion)
      expect([method, path, status]).toEqual([method, path, 403])
    }
    expect((await browser.call('POST', `${at}/roles`, { name: 'less', permissions: ['teams.read'] })).status).toBe(201)
  })

  test('by the name of a role that is built in, of one above it, or of something that every object has', async () => {
    const control = await testControl()
    await control.done('POST', '/roles', { name: 'reader', permissions: ['apis.read'] })
    const make = async (name: string) =>
      (await control.call('POST', '/workspaces/default/roles', { body: { name, permissions: ['keys.write'] } })).status
    expect(await Promise.all(['owner', 'viewer', 'reader'].map(make))).toEqual([409, 409, 409])
    expect(await make('constructor')).toBe(201)
    const { userId } = await createPerson(control, 'viewer', 'default')
    expect((await control.call('POST', '/members', { body: { userId, role: 'constructor' } })).status).toBe(404)
  })

  test('by a token for an account that reaches further', async () => {
    const control = await testControl()
    await control.done('POST', '/workspaces', { name: 'red' })
    await control.done('POST', '/roles', { name: 'organiser', permissions: ['users.write'] })
    const { browser, userId } = await signedIn(control, 'organiser')
    await control.done('POST', '/workspaces/red/members', { userId, role: 'viewer' })
    const service = await control.done('POST', '/users', { email: 'ci@example.com', name: 'CI', isService: true })
    const serviceId = textOf(service, 'id')
    await control.done('POST', '/members', { userId: serviceId, role: 'viewer' })
    const make = (workspace: object) =>
      browser.call('POST', `/users/${serviceId}/tokens`, { name: 'x', scopes: ['apis.read'], ...workspace })
    const wide = await make({})
    expect([wide.status, wide.body['code']]).toEqual([403, 'admin.forbidden'])
    expect((await make({ workspace: 'red' })).status).toBe(201)
  })
})

describe('a role of one permission', () => {
  const permitted = routes.filter(
    ({ permission, path }) => typeof permission === 'string' && path.includes('{workspace}'),
  )
  const permissions = [...new Set(permitted.map(({ permission }) => permission))].filter(
    (each) => typeof each === 'string',
  )

  test.each(permissions)('%s opens the operations that ask for it, and no other', async (permission) => {
    const control = await testControl()
    await control.done('POST', '/workspaces/default/roles', { name: 'only', permissions: [permission] })
    const { browser, userId } = await signedIn(control)
    await control.done('POST', '/workspaces/default/members', { userId, role: 'only' })
    const wrong: string[] = []
    for (const route of permitted) {
      const path = route.path.replace('{workspace}', 'default').replaceAll(/\{\w+\}/g, 'nothing')
      const body = route.method === 'GET' ? undefined : {}
      const answer = await browser.call(route.method, path, body, { 'if-match': '"1"' })
      // An operation may ask for more besides, as the export does; then it names that.
      const needed = `This needs the permission ${typeof route.permission === 'string' ? route.permission : ''}.`
      const isRefused = answer.body['code'] === 'admin.forbidden' && answer.body['detail'] === needed
      if (isRefused === (route.permission === permission)) wrong.push(`${route.id}: ${answer.status}`)
    }
    expect(wrong).toEqual([])
  })
})
