import { describe, expect, test } from 'vitest'
import { createLocalUser, testBrowser, textOf } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { PERMISSIONS } from '../permissions.ts'

const DAY_MS = 86_400_000

describe('a service account', () => {
  test('has tokens with scopes and an end, is never signed in, and is locked out with its tokens', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const user = await control.done('POST', '/users', { email: 'ci@example.com', name: 'CI', isService: true })
    const id = textOf(user, 'id')
    await control.done('POST', '/workspaces/default/members', { userId: id, role: 'api-developer' })
    expect((await control.call('POST', `/users/${id}/invitations`, { body: {} })).status).toBe(422)
    const make = async (name: string, expiresInDays: number): Promise<string> =>
      textOf(await control.done('POST', `/users/${id}/tokens`, { name, scopes: ['apis.read'], expiresInDays }), 'token')
    const [short, long] = [await make('short', 1), await make('long', 30)]
    const statusOf = async (token: string, path: string): Promise<number> =>
      (await control.call('GET', path, { token })).status
    expect(await statusOf(short, '/workspaces/default/apis')).toBe(200)
    expect(await statusOf(short, '/workspaces/default/upstreams')).toBe(403)
    clock.advance(DAY_MS)
    expect(await statusOf(short, '/workspaces/default/apis')).toBe(401)
    expect(await statusOf(long, '/workspaces/default/apis')).toBe(200)
    const { items } = await control.done('GET', `/users/${id}/tokens`)
    expect(items).toContainEqual(
      expect.objectContaining({ name: 'long', state: 'active', lastUsedAt: '2026-01-02T00:00:00.000Z' }),
    )
    await control.done('PUT', `/users/${id}/disabled`, { disabled: true }, { 'if-match': '*' })
    expect(await statusOf(long, '/workspaces/default/apis')).toBe(401)
  })
})

test('a narrowed token is no way into the whole of its account, nor a session to a new password without the old one', async () => {
  const control = await testControl()
  const { email, userId } = await createLocalUser(control, 'owner')
  const browser = testBrowser(control)
  await browser.signIn(email)
  const made = await browser.call('POST', '/users/me/tokens', {
    name: 'accounts',
    scopes: ['users.read', 'users.write'],
  })
  const token = textOf(made.body, 'token')
  const other = await createLocalUser(control, 'owner')
  for (const id of [userId, other.userId]) {
    expect((await control.call('POST', `/users/${id}/invitations`, { token, body: {} })).status).toBe(403)
    expect((await control.call('POST', `/users/${id}/totp/reset`, { token })).status).toBe(403)
  }
  expect((await browser.call('POST', `/users/${userId}/invitations`, {})).status).toBe(403)
  expect((await browser.call('POST', `/users/${userId}/totp/reset`)).status).toBe(403)
  expect((await browser.call('POST', `/users/${other.userId}/invitations`, {})).status).toBe(201)
})

test('a token cannot throw its owner out, nor do what only a person with a session may', async () => {
  const control = await testControl()
  const { email, userId } = await createLocalUser(control, 'viewer')
  const browser = testBrowser(control)
  await browser.signIn(email)
  const made = await browser.call('POST', '/users/me/tokens', { name: 'leaked', scopes: ['apis.read'] })
  const token = textOf(made.body, 'token')
  const attempts = [
    ['/users/me/sessions/all/revoke', undefined],
    [`/users/${userId}/sessions/all/revoke`, undefined],
    ['/users/me/password', { current: 'x', password: 'a marmot under the glacier' }],
    ['/users/me/totp', { password: 'x' }],
    ['/users/me/totp/confirm', { code: '000000' }],
    ['/users/me/totp/remove', { password: 'x', code: '000000' }],
    ['/sessions/current/end', undefined],
  ] as const
  for (const [path, body] of attempts) {
    const answer = await control.call('POST', path, { token, body })
    expect([path, answer.body['code']]).toEqual([path, 'sign_in.session_needed'])
  }
  expect((await browser.call('GET', '/sessions/current')).status).toBe(200)
})

/** Somebody who signed in, with a token for all that they may do. */
async function withToken(control: TestControl, role: 'owner' | 'admin') {
  const { email, userId } = await createLocalUser(control, role)
  const browser = testBrowser(control)
  await browser.signIn(email)
  const { grants } = (await browser.call('GET', '/sessions/current')).body
  const scopes = PERMISSIONS.filter((permission) => JSON.stringify(grants).includes(`"${permission}"`))
  const { body } = await browser.call('POST', '/users/me/tokens', { name: 'mighty', scopes })
  return { browser, userId, tokenId: textOf(body, 'id'), token: textOf(body, 'token') }
}

describe('a token, whatever it may do,', () => {
  test('makes no other, so that its end, its narrowing and its being revoked hold', async () => {
    const control = await testControl()
    const { browser, userId, token } = await withToken(control, 'owner')
    const service = await control.done('POST', '/users', { email: 'ci@example.com', name: 'CI', isService: true })
    const body = { name: 'forever', scopes: ['apis.read'] }
    for (const id of ['me', userId, textOf(service, 'id')]) {
      const answer = await control.call('POST', `/users/${id}/tokens`, { token, body })
      expect([id, answer.status, answer.body['code']]).toEqual([id, 403, 'sign_in.session_needed'])
    }
    expect((await browser.call('POST', `/users/${textOf(service, 'id')}/tokens`, body)).status).toBe(201)
  })

  test('takes neither tokens nor sessions from its own account', async () => {
    const control = await testControl()
    const { browser, userId, tokenId, token } = await withToken(control, 'owner')
    const made = await browser.call('POST', '/users/me/tokens', { name: 'other', scopes: ['apis.read'] })
    const other = textOf(made.body, 'id')
    for (const at of ['/users/me', `/users/${userId}`]) {
      for (const path of [`${at}/tokens/${other}/revoke`, `${at}/sessions/all/revoke`]) {
        const answer = await control.call('POST', path, { token })
        expect([path, answer.status, answer.body['code']]).toEqual([path, 403, 'sign_in.session_needed'])
      }
    }
    expect((await browser.call('GET', '/sessions/current')).status).toBe(200)
    expect((await browser.call('POST', `/users/me/tokens/${tokenId}/revoke`)).body['state']).toBe('revoked')
    expect((await control.call('GET', '/users', { token })).status).toBe(401)
  })
})

test('an admin ends neither sessions nor tokens of an owner, and an owner ends those of an admin', async () => {
  const control = await testControl()
  const [owner, admin] = [await withToken(control, 'owner'), await withToken(control, 'admin')]
  const ends = ({ userId, tokenId }: typeof owner) => [
    `/users/${userId}/tokens/${tokenId}/revoke`,
    `/users/${userId}/sessions/all/revoke`,
  ]
  for (const path of ends(owner)) {
    const { status, body } = await admin.browser.call('POST', path)
    expect([path, status, body['code']]).toEqual([path, 403, 'admin.forbidden'])
    expect((await control.call('POST', path, { token: admin.token })).status).toBe(403)
  }
  expect((await owner.browser.call('GET', '/sessions/current')).status).toBe(200)
  expect((await control.call('GET', '/users', { token: owner.token })).status).toBe(200)
  for (const path of ends(admin)) expect((await owner.browser.call('POST', path)).status).toBeLessThan(300)
  expect((await admin.browser.call('GET', '/sessions/current')).status).toBe(401)
})
