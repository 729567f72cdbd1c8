import { describe, expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { createLocalUser, PASSWORD, testBrowser, textOf, type TestBrowser } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const anyVersion = { 'if-match': '*' }

/** An admin who signed in, and an account without rights for which they may make invitations. */
async function withAdmin(control: TestControl) {
  const admin = await createLocalUser(control, 'admin')
  const browser = testBrowser(control)
  await browser.signIn(admin.email)
  const user = await browser.call('POST', '/users', { email: 'kim@example.com', name: 'Kim' })
  return { adminId: admin.userId, browser, userId: textOf(user.body, 'id') }
}

async function inviteBy(browser: TestBrowser, userId: string): Promise<string> {
  return textOf((await browser.call('POST', `/users/${userId}/invitations`, {})).body, 'token')
}

/** What an invitation is answered with when somebody comes with it. */
async function accept({ call }: TestControl, token: string): Promise<unknown> {
  const { status, body } = await call('POST', '/invitations/accept', { token: '', body: { token, password: PASSWORD } })
  return status === 200 ? 'in' : body['code']
}

const VOID = 'sign_in.bad_invitation'

describeOnEveryStore('an invitation by an admin', (store) => {
  test('lets its owner in, also after they got what the admin may do', async () => {
    const control = await testControl({ database: await store.open() })
    const { browser, userId } = await withAdmin(control)
    const invitation = await inviteBy(browser, userId)
    await control.done('POST', '/members', { userId, role: 'admin' })
    expect(await accept(control, invitation)).toBe('in')
  })

  test('opens no account that has become an owner since, until it is one no more', async () => {
    const control = await testControl({ database: await store.open() })
    const { browser, userId } = await withAdmin(control)
    const invitation = await inviteBy(browser, userId)
    const binding = await control.done('POST', '/members', { userId, role: 'owner' })
    await createLocalUser(control, 'owner')
    expect(await accept(control, invitation)).toBe(VOID)
    await control.done('POST', `/members/${textOf(binding, 'id')}/remove`)
    expect(await accept(control, invitation)).toBe('in')
  })

  test('nor one that rose with a team, or with a role that it has', async () => {
    const control = await testControl({ database: await store.open() })
    const { browser, userId } = await withAdmin(control)
    await control.done('POST', '/roles', { name: 'mover', permissions: ['apis.read'] })
    await control.done('POST', '/members', { userId, role: 'mover' })
    const invitation = await inviteBy(browser, userId)
    const change = (permissions: readonly string[]) => control.done('PUT', '/roles/mover', { permissions }, anyVersion)
    await change(['keys.write'])
    expect(await accept(control, invitation)).toBe(VOID)
    await change(['apis.read'])
    await control.done('POST', '/workspaces/default/teams', { name: 'keepers' })
    await control.done('POST', '/workspaces/default/teams/keepers/members', { userId })
    await control.done('POST', '/workspaces/default/members', { team: 'keepers', role: 'owner' })
    expect(await accept(control, invitation)).toBe(VOID)
  })
})

describe('an invitation is void', () => {
  test('when who made it lost their rights, or was locked out', async () => {
    const control = await testControl()
    const { adminId, browser, userId } = await withAdmin(control)
    const invitation = await inviteBy(browser, userId)
    await control.done('PUT', `/users/${adminId}/disabled`, { disabled: true }, anyVersion)
    expect(await accept(control, invitation)).toBe(VOID)
    await control.done('PUT', `/users/${adminId}/disabled`, { disabled: false }, anyVersion)
    const { items } = await control.done('GET', '/members')
    const role = (Array.isArray(items) ? items : []).find((each) => JSON.stringify(each).includes(adminId))
    const id = /binding_\w+/.exec(JSON.stringify(role))?.[0] ?? ''
    await control.done('POST', `/members/${id}/remove`)
    expect(await accept(control, invitation)).toBe(VOID)
  })

  test('when the token that made it is revoked, or has less scope than the account now', async () => {
    const control = await testControl()
    const owner = await createLocalUser(control, 'owner')
    const browser = testBrowser(control)
    await browser.signIn(owner.email)
    const made = await browser.call('POST', '/users/me/tokens', { name: 'x', scopes: ['users.write', 'apis.read'] })
    const user = await control.done('POST', '/users', { email: 'kim@example.com', name: 'Kim' })
    const userId = textOf(user, 'id')
    const invite = () =>
      control.call('POST', `/users/${userId}/invitations`, { token: textOf(made.body, 'token'), body: {} })
    const invitation = textOf((await invite()).body, 'token')
    const binding = await control.done('POST', '/members', { userId, role: 'viewer' })
    expect(await accept(control, invitation)).toBe(VOID)
    await control.done('POST', `/members/${textOf(binding, 'id')}/remove`)
    await browser.call('POST', `/users/me/tokens/${textOf(made.body, 'id')}/revoke`)
    expect(await accept(control, invitation)).toBe(VOID)
  })

  test('when the owner of the account has changed their password', async () => {
    const control = await testControl()
    const { email, userId } = await createLocalUser(control, 'viewer')
    const browser = testBrowser(control)
    await browser.signIn(email)
    const invitation = textOf(await control.done('POST', `/users/${userId}/invitations`, {}), 'token')
    const body = { current: PASSWORD, password: 'another marmot on the moraine' }
    expect((await browser.call('POST', '/users/me/password', body)).status).toBe(200)
    expect(await accept(control, invitation)).toBe(VOID)
  })
})
