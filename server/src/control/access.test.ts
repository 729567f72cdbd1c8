/** Generated from the list of operations, so that a new one cannot be forgotten. */
import { describe, expect, test } from 'vitest'
import { createPerson } from '../../test/control-people.ts'
import { createLocalUser, testBrowser, textOf } from '../../test/test-browser.ts'
import { testControl, type TestControl } from '../../test/test-control.ts'
import { testClock } from '../../test/test-services.ts'
import type { AdminRoute } from './define-route.ts'
import { BUILT_IN_ROLES } from './permissions.ts'
import { routes } from './routes.ts'
import { createSecretToken } from './tokens/secret-token.ts'

const guarded = routes.filter(({ permission }) => typeof permission === 'string' || permission.door !== 'public')
const permitted = routes.filter(({ permission }) => typeof permission === 'string')
const ofWorkspaces = permitted.filter(({ path }) => path.includes('{workspace}'))

/** The path with the workspace in it, and with names of nothing for all else. */
function pathOf({ path }: AdminRoute, workspace = 'default'): string {
  return path.replace('{workspace}', workspace).replaceAll(/\{\w+\}/g, 'nothing')
}

function send({ call }: TestControl, route: AdminRoute, token: string, path = pathOf(route)) {
  const headers = { 'if-match': '"1"' }
  return call(route.method, path, { token, headers, ...(route.method === 'GET' ? {} : { body: {} }) })
}

test('every operation has an id, a method and a path of its own', () => {
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
  expect(new Set(routes.map(({ method, path }) => `${method} ${path}`)).size).toBe(routes.length)
})

describe('without a credential that counts', () => {
  test.each(guarded.map((route) => ({ id: route.id, route })))('$id is refused with 401', async ({ route }) => {
    const control = await testControl()
    expect((await send(control, route, '')).status).toBe(401)
    expect((await send(control, route, 'forged')).status).toBe(401)
    expect((await send(control, route, createSecretToken('api'))).status).toBe(401)
    expect((await send(control, route, createSecretToken('node'))).status).toBe(401)
  })

  test('a token that is revoked, expired or of a locked account opens nothing', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const opens = async (token: string) => (await control.call('GET', '/workspaces', { token })).status === 200
    const { userId, token: locked } = await createPerson(control, 'viewer')
    const make = async () => {
      const body = { name: 'test', scopes: ['workspace.read'], expiresInDays: 1 }
      return control.done('POST', `/users/${userId}/tokens`, body)
    }
    const [revoked, expired] = [await make(), await make()]
    for (const token of [locked, textOf(revoked, 'token'), textOf(expired, 'token')]) {
      expect(await opens(token)).toBe(true)
    }
    await control.done('POST', `/users/${userId}/tokens/${textOf(revoked, 'id')}/revoke`)
    expect(await opens(textOf(revoked, 'token'))).toBe(false)
    clock.advance(86_400_000)
    expect(await opens(textOf(expired, 'token'))).toBe(false)
    expect(await opens(locked)).toBe(true)
    await control.done('PUT', `/users/${userId}/disabled`, { disabled: true }, { 'if-match': '*' })
    expect(await opens(locked)).toBe(false)
  })
})

describe.each(Object.entries(BUILT_IN_ROLES))('the role %s', (role, { permissions }) => {
  test('may do exactly what its permissions say', async () => {
    const control = await testControl()
    const { token } = await createPerson(control, role)
    const wrong: string[] = []
    for (const route of permitted) {
      const { status, body } = await send(control, route, token)
      const isPermitted = permissions.some((permission) => permission === route.permission)
      if ((body['code'] === 'admin.forbidden') === isPermitted) wrong.push(`${route.id}: ${status}`)
    }
    expect(wrong).toEqual([])
  })
})

describe.each(['owner', 'operator', 'viewer'])('a session of the role %s', (role) => {
  test('may do exactly what its permissions say', async () => {
    const control = await testControl()
    const browser = testBrowser(control)
    await browser.signIn((await createLocalUser(control, role)).email)
    const permissions = BUILT_IN_ROLES[role]?.permissions ?? []
    const wrong: string[] = []
    for (const route of permitted) {
      const given = route.method === 'GET' ? undefined : {}
      const { status, body } = await browser.call(route.method, pathOf(route), given, { 'if-match': '"1"' })
      const isPermitted = permissions.some((permission) => permission === route.permission)
      if (status === 401 || (body['code'] === 'admin.forbidden') === isPermitted) wrong.push(`${route.id}: ${status}`)
    }
    expect(wrong).toEqual([])
  })

  test('writes nothing when a page of another site asks', async () => {
    const control = await testControl()
    const browser = testBrowser(control)
    await browser.signIn((await createLocalUser(control, role)).email)
    const wrong: string[] = []
    for (const route of guarded.filter(({ method }) => method !== 'GET')) {
      const { body } = await browser.call(route.method, pathOf(route), {}, { 'sec-fetch-site': 'cross-site' })
      if (body['code'] !== 'sign_in.foreign_origin') wrong.push(route.id)
    }
    expect(wrong).toEqual([])
  })
})

describe('another tenant', () => {
  test('does not exist for somebody who belongs to one workspace', async () => {
    const control = await testControl()
    await control.done('POST', '/workspaces', { name: 'red' })
    await control.done('POST', '/workspaces', { name: 'blue' })
    const { token } = await createPerson(control, 'owner', 'red')
    const wrong: string[] = []
    for (const route of ofWorkspaces) {
      const own = await send(control, route, token, pathOf(route, 'red'))
      const other = await send(control, route, token, pathOf(route, 'blue'))
      const missing = await send(control, route, token, pathOf(route, 'nowhere'))
      const isHidden = other.status === 404 && other.body['code'] === 'admin.not_found'
      const isSame =
        isHidden &&
        JSON.stringify(other.body['detail']).replace('blue', 'nowhere') === JSON.stringify(missing.body['detail'])
      if (!isSame || own.body['code'] === 'admin.forbidden') wrong.push(`${route.id}: ${own.status} ${other.status}`)
    }
    expect(wrong).toEqual([])
  })

  test('cannot be reached by a right to one workspace where the whole installation is meant', async () => {
    const control = await testControl()
    await control.done('POST', '/workspaces', { name: 'red' })
    const { token } = await createPerson(control, 'owner', 'red')
    const wrong: string[] = []
    for (const route of permitted.filter(({ path }) => !path.includes('{workspace}'))) {
      const { body } = await send(control, route, token)
      if (body['code'] !== 'admin.forbidden') wrong.push(route.id)
    }
    expect(wrong).toEqual([])
  })

  test('things are not found by their ids from another workspace', async () => {
    const control = await testControl()
    await control.done('POST', '/workspaces', { name: 'red' })
    await control.done('POST', '/workspaces', { name: 'blue' })
    const { token } = await createPerson(control, 'owner', 'red')
    await control.done('POST', '/workspaces/blue/upstreams', {
      name: 'secret',
      targets: [{ url: 'http://127.0.0.1:1' }],
    })
    expect((await control.call('GET', '/workspaces/red/upstreams/secret', { token })).status).toBe(404)
    const { body } = await control.call('GET', '/workspaces/red/upstreams', { token })
    expect(body['items']).toEqual([])
  })
})

describe('nobody gives what they do not have', () => {
  test('an operator cannot make an owner, nor a token for more than they may do', async () => {
    const control = await testControl()
    const { email, userId } = await createLocalUser(control, 'operator')
    const browser = testBrowser(control)
    await browser.signIn(email)
    expect((await browser.call('POST', '/members', { userId, role: 'owner' })).status).toBe(403)
    const more = await browser.call('POST', '/users/me/tokens', { name: 'more', scopes: ['users.write'] })
    expect([more.status, more.body['code']]).toEqual([403, 'admin.forbidden'])
    const less = await browser.call('POST', '/users/me/tokens', { name: 'less', scopes: ['apis.read'] })
    expect(less.status).toBe(201)
  })

  test('the tokens of somebody else are not found', async () => {
    const control = await testControl()
    const { userId } = await createPerson(control, 'owner')
    const { token } = await createPerson(control, 'viewer')
    expect((await control.call('GET', `/users/${userId}/tokens`, { token })).status).toBe(404)
  })
})

describe('input that is no input', () => {
  const writing = routes.filter(({ body }) => body !== undefined)

  test.each(writing.map((route) => ({ id: route.id, route })))(
    '$id refuses fields that it does not know',
    async ({ route }) => {
      if (typeof route.permission !== 'string') return expect(route.permission.door).toMatch(/signed-in|gateway|public/)
      const { call } = await testControl()
      const body = { name: 'x', id: 'user_1', workspace_id: 'other', isAdmin: true, __proto__x: 1 }
      const { status, body: answer } = await call(route.method, pathOf(route), { body, headers: { 'if-match': '*' } })
      expect([status, answer['code']]).toEqual([422, 'admin.invalid'])
    },
  )

  test('tricks with paths find nothing and break nothing', async () => {
    const { call } = await testControl()
    const tricks = [
      '..%2f..%2fusers',
      '%2e%2e',
      '%00',
      '%ff',
      'a%2fb',
      '💥',
      'x'.repeat(5000),
      '%E0%A4%A',
      "'; DROP TABLE users; --",
    ]
    for (const trick of tricks) {
      const { status } = await call('GET', `/workspaces/${trick}/apis`)
      expect([400, 404, 414, 422]).toContain(status)
      expect([400, 404, 414, 422]).toContain((await call('GET', `/workspaces/default/apis/${trick}`)).status)
    }
  })
})

describe('the audit', () => {
  test('has an entry for every change, chained, and notices what was changed behind its back', async () => {
    const { done, database } = await testControl()
    for (const name of ['a', 'b', 'c']) await done('POST', '/workspaces/default/apis', { name })
    expect(await done('GET', '/audit/verification')).toEqual({ whole: true, entries: 3 })
    await database.write((db) => db.updateTable('audit').set({ target_name: 'x' }).where('seq', '=', 2).execute())
    expect(await done('GET', '/audit/verification')).toMatchObject({ whole: false, entries: 1, fault: { seq: 2 } })
    await database.write((db) => db.deleteFrom('audit').where('seq', '=', 2).execute())
    expect(await done('GET', '/audit/verification')).toMatchObject({
      whole: false,
      fault: { detail: 'entry 2 is missing' },
    })
  })
})
