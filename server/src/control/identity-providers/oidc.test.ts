import { describe, expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { signInAtProvider, signInBy, startOidcProvider } from '../../../test/oidc-server.ts'
import { createLocalUser, testBrowser } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'

const publicUrl = 'http://control.test'
const redirectUri = (name: string): string => `${publicUrl}/api/v1/sign-in/${name}/callback`

type People = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** An installation with the provider `company`, which knows these people. */
async function withProvider(people: People, settings: object, given: Parameters<typeof testControl>[0] = {}) {
  const issuer = await startOidcProvider([redirectUri('company'), redirectUri('other')], people)
  const control = await testControl({ publicUrl, ...given })
  const body = { name: 'company', issuer, clientId: 'headgate', clientSecret: 'a-secret-of-the-client', ...settings }
  await control.done('POST', '/identity-providers', body)
  return { control, issuer, body }
}

const whoIs = async (browser: ReturnType<typeof testBrowser>): Promise<unknown> =>
  (await browser.call('GET', '/sessions/current')).body['user']

const maria = { email: 'Maria@example.com', email_verified: true, name: 'Maria', groups: ['developers', 'staff'] }

describeOnEveryStore('signing in with an identity provider', (store) => {
  test('makes an account where that is allowed, with what its groups give, anew each time', async () => {
    const database = await store.open()
    const issuer = await startOidcProvider([redirectUri('company')], { maria })
    const control = await testControl({ database, publicUrl })
    await control.done('POST', '/workspaces/default/teams', { name: 'platform' })
    await control.done('POST', '/workspaces/default/members', { team: 'platform', role: 'operator' })
    const body = {
      name: 'company',
      issuer,
      clientId: 'headgate',
      clientSecret: 'a-secret-of-the-client',
      createAccounts: true,
      groups: [
        { group: 'developers', workspace: 'default', role: 'api-developer' },
        { group: 'staff', workspace: 'default', team: 'platform' },
        { group: 'bosses', role: 'owner' },
      ],
    }
    await control.done('POST', '/identity-providers', body)
    const browser = testBrowser(control)
    const answer = await signInBy(browser, 'company', 'maria')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/apis'])
    expect(await whoIs(browser)).toMatchObject({ email: 'maria@example.com', name: 'Maria', hasPassword: false })
    expect((await browser.call('POST', '/workspaces/default/apis', { name: 'books' })).status).toBe(201)
    expect((await browser.call('GET', '/users')).status).toBe(403)
    const { items } = await control.done('GET', '/workspaces/default/members')
    expect(items).toContainEqual(expect.objectContaining({ role: 'api-developer', source: 'oidc:company' }))
    const { name: _, ...rest } = body
    await control.done('PUT', '/identity-providers/company', { ...rest, groups: [] }, { 'if-match': '*' })
    await signInBy(browser, 'company', 'maria')
    expect((await browser.call('GET', '/workspaces/default/apis')).status).toBe(404)
  })
})

describe('an account', () => {
  test('is linked by an address only when the provider verified it and the operator believes the provider', async () => {
    const people: Record<string, Readonly<Record<string, unknown>>> = {}
    const control = await testControl({ publicUrl })
    const { email } = await createLocalUser(control)
    people['liar'] = { email, email_verified: false }
    await control.done('POST', '/users', { email: 'kim@example.com', name: 'Kim' })
    people['kelvin'] = { email: '\u{212A}im@example.com', email_verified: true }
    people['texter'] = { email, email_verified: 'true' }
    people['owner'] = { email, email_verified: true }
    const issuer = await startOidcProvider([redirectUri('company')], people)
    const body = { issuer, clientId: 'headgate', clientSecret: 'a-secret-of-the-client' }
    await control.done('POST', '/identity-providers', { name: 'company', createAccounts: true, ...body })
    const codeOf = async (login: string) =>
      (await signInBy(testBrowser(control), 'company', login)).body['code'] ?? 'in'
    expect(await codeOf('owner')).toBe('sign_in.no_account')
    const change = (settings: object) =>
      control.done('PUT', '/identity-providers/company', { ...body, ...settings }, { 'if-match': '*' })
    await change({ linkByEmail: true, emailDomains: ['elsewhere.example'] })
    expect(await codeOf('owner')).toBe('sign_in.no_account')
    await change({ linkByEmail: true })
    expect(await codeOf('liar')).toBe('sign_in.no_account')
    expect(await codeOf('kelvin')).toBe('sign_in.no_account')
    expect(await codeOf('texter')).toBe('sign_in.no_account')
    expect(await codeOf('owner')).toBe('in')
    await change({ linkByEmail: false })
    expect(await codeOf('owner')).toBe('in')
  })

  test('that is disabled stays out', async () => {
    const { control } = await withProvider({ maria }, { createAccounts: true })
    await signInBy(testBrowser(control), 'company', 'maria')
    await control.database.write((db) => db.updateTable('users').set({ disabled_at_ms: 1 }).execute())
    expect((await signInBy(testBrowser(control), 'company', 'maria')).body['code']).toBe('sign_in.no_account')
  })
})

describe('an answer of a provider', () => {
  const start = async (control: TestControl, clock = testClock()) => {
    const browser = testBrowser(control)
    const left = await browser.call('GET', '/sign-in/company')
    return { browser, clock, back: await signInAtProvider(left.headers.get('location') ?? '', 'maria') }
  }

  test('opens nothing in another browser, for another provider, twice, changed, or too late', async () => {
    const clock = testClock(Date.now())
    const { control, body } = await withProvider({ maria }, { createAccounts: true }, { clock })
    await control.done('POST', '/identity-providers', { ...body, name: 'other' })
    const { browser, back } = await start(control)
    const codeOf = async (path: string, who = browser): Promise<unknown> => {
      const { body: answer, headers } = await who.call('GET', path)
      expect(headers.getSetCookie().filter((field) => /session=hg/.test(field))).toEqual([])
      return answer['code']
    }
    const refused = 'sign_in.provider_failed'
    expect(await codeOf(`/sign-in/company/callback${back.search}`, testBrowser(control))).toBe(refused)
    expect(await codeOf(`/sign-in/other/callback${back.search}`)).toBe(refused)
    const state = new URLSearchParams(back.search)
    state.set('state', 'another-state')
    expect(await codeOf(`/sign-in/company/callback?${state.toString()}`)).toBe(refused)
    expect(await codeOf(`/sign-in/company/callback${back.search}&code=another`)).toBe(refused)
    const issuer = new URLSearchParams(back.search)
    issuer.set('iss', 'https://evil.example')
    expect(await codeOf(`/sign-in/company/callback?${issuer.toString()}`)).toBe(refused)
    const cookies = new Map(browser.cookies)
    expect((await browser.call('GET', `/sign-in/company/callback${back.search}`)).status).toBe(303)
    const replayed = testBrowser(control)
    for (const [name, value] of cookies) replayed.cookies.set(name, value)
    expect(await codeOf(`/sign-in/company/callback${back.search}`, replayed)).toBe(refused)
    const late = await start(control)
    clock.advance(11 * 60_000)
    expect(await codeOf(`/sign-in/company/callback${late.back.search}`, late.browser)).toBe(refused)
  })

  test('leads to a path of the control plane and nowhere else', async () => {
    const { control } = await withProvider({ maria }, {})
    const elsewhere = [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'javascript:1',
      '\\\\x',
      '',
    ]
    for (const path of elsewhere) {
      const answer = await testBrowser(control).call('GET', `/sign-in/company?returnTo=${encodeURIComponent(path)}`)
      expect([path, answer.status]).toEqual([path, 422])
    }
    const answer = await testBrowser(control).call('GET', '/sign-in/company?returnTo=/a?b=//c')
    expect(answer.status).toBe(303)
  })
})

describe('a provider', () => {
  test('that does not answer, or is another than it says, lets nobody in', async () => {
    const { control, body } = await withProvider({ maria }, {})
    const { name: _, ...rest } = body
    for (const issuer of [
      'http://127.0.0.1:1',
      `${body.issuer}/elsewhere`,
      body.issuer.replace('127.0.0.1', 'localhost'),
    ]) {
      await control.done('PUT', '/identity-providers/company', { ...rest, issuer }, { 'if-match': '*' })
      const { status, headers } = await testBrowser(control).call('GET', '/sign-in/company')
      expect([issuer, status, headers.get('location')]).toEqual([issuer, 401, null])
    }
  })

  test('is set by owners alone, over TLS, and never shows its secret', async () => {
    const { control, body } = await withProvider({ maria }, {})
    const browser = testBrowser(control)
    await browser.signIn((await createLocalUser(control, 'admin')).email)
    expect((await browser.call('POST', '/identity-providers', { ...body, name: 'mine' })).status).toBe(403)
    const shown = await control.call('GET', '/identity-providers')
    const audit = await control.call('GET', '/audit')
    expect(JSON.stringify([shown.body, audit.body])).not.toContain('a-secret-of-the-client')
    const plain = { ...body, name: 'plain', issuer: 'http://idp.example' }
    expect((await control.call('POST', '/identity-providers', { body: plain })).status).toBe(422)
  })
})
