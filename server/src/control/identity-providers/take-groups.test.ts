import { expect, test } from 'vitest'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { signInBy, startOidcProvider } from '../../../test/oidc-server.ts'
import { testBrowser } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const publicUrl = 'http://control.test'
const maria = { email: 'maria@example.com', email_verified: true, name: 'Maria', groups: ['developers', 'staff'] }
const AT = '/workspaces/default'

const developers = { group: 'developers', workspace: 'default', role: 'api-developer' }
const staff = { group: 'staff', workspace: 'default', team: 'platform' }

/** Maria has signed in: her groups give her a role, and a place in a team of operators. */
async function withMaria(store: TestStore) {
  const issuer = await startOidcProvider([`${publicUrl}/api/v1/sign-in/company/callback`], { maria })
  const control = await testControl({ database: await store.open(), publicUrl })
  await control.done('POST', `${AT}/teams`, { name: 'platform' })
  await control.done('POST', `${AT}/members`, { team: 'platform', role: 'operator' })
  const body = { issuer, clientId: 'headgate', clientSecret: 'a-secret-of-the-client', createAccounts: true }
  await control.done('POST', '/identity-providers', { name: 'company', ...body, groups: [developers, staff] })
  const browser = testBrowser(control)
  await signInBy(browser, 'company', 'maria')
  const change = (settings: object) =>
    control.done('PUT', '/identity-providers/company', { ...body, ...settings }, { 'if-match': '*' })
  return { control, browser, change }
}

/** Roles and places in the team that have come from the provider. */
async function given({ done }: TestControl): Promise<{ roles: unknown[]; members: unknown }> {
  const { items } = await done('GET', `${AT}/members`)
  const roles = (Array.isArray(items) ? items : []).filter((each) => JSON.stringify(each).includes('oidc:company'))
  return { roles, members: (await done('GET', `${AT}/teams/platform`))['members'] }
}

const role = [expect.objectContaining({ role: 'api-developer', source: 'oidc:company' })]
const member = [expect.objectContaining({ email: maria.email })]

describeOnEveryStore('a mapping of groups', (store) => {
  test('that is taken away takes what it gave at once, and nothing else', async () => {
    const { control, browser, change } = await withMaria(store)
    expect(await given(control)).toEqual({ roles: role, members: member })
    await change({ groups: [staff] })
    expect(await given(control)).toEqual({ roles: [], members: member })
    expect((await browser.call('POST', `${AT}/apis`, { name: 'books' })).status).toBe(403)
    await change({ groups: [{ ...staff, group: 'bosses' }] })
    expect(await given(control)).toEqual({ roles: [], members: [] })
    expect((await browser.call('GET', `${AT}/apis`)).status).toBe(404)
    expect((await browser.call('GET', '/sessions/current')).status).toBe(200)
  })

  test('gives the role no longer when it goes to another group, and still when another group of theirs has it', async () => {
    const { control, change } = await withMaria(store)
    await change({ groups: [{ ...developers, group: 'staff' }, staff] })
    expect(await given(control)).toEqual({ roles: role, members: member })
    await change({ groups: [{ ...developers, group: 'bosses' }, staff] })
    expect(await given(control)).toEqual({ roles: [], members: member })
  })

  test('takes nothing that people gave by hand', async () => {
    const { control, change } = await withMaria(store)
    const { items } = await control.done('GET', '/users')
    const userId = /user_\w+/.exec(JSON.stringify(items))?.[0] ?? ''
    await control.done('POST', `${AT}/members`, { userId, role: 'viewer' })
    await change({ groups: [] })
    const members = await control.done('GET', `${AT}/members`)
    expect(members['items']).toEqual([
      expect.objectContaining({ team: 'platform' }),
      expect.objectContaining({ userId, role: 'viewer', source: '' }),
    ])
  })

  test.each([
    ['issuer', { issuer: 'http://127.0.0.1:1' }],
    ['claim of groups', { groupsClaim: 'roles' }],
  ])('gives nothing by the groups of another %s, and the sessions that it began end', async (_, settings) => {
    const { control, browser, change } = await withMaria(store)
    await change({ groups: [developers, staff], ...settings })
    expect(await given(control)).toEqual({ roles: [], members: [] })
    expect((await browser.call('GET', '/sessions/current')).status).toBe(401)
  })
})
