import { describe, expect, test } from 'vitest'
import { createLocalUser, testBrowser, textOf } from '../../../test/test-browser.ts'
import { testControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'

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
