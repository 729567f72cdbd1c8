import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { createLocalUser, PASSWORD, testBrowser, textOf } from '../../../test/test-browser.ts'
import { testControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { accountAttempt } from './sign-in-throttle.ts'

const MINUTE_MS = 60_000

describeOnEveryStore('signing in', (store) => {
  test('opens a session in a cookie that scripts cannot read and other sites cannot send', async () => {
    const control = await testControl({ database: await store.open(), publicUrl: 'https://gate.example' })
    const { email } = await createLocalUser(control)
    const origin = { origin: 'https://gate.example' }
    const answer = await testBrowser(control).call('POST', '/sessions', { email, password: PASSWORD }, origin)
    const [session] = answer.headers.getSetCookie()
    expect(session).toMatch(
      /^__Host-headgate-session=hg_session_\S+; Path=\/; HttpOnly; Secure; SameSite=Strict; Max-Age=/,
    )
    const row = await control.database.read.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()
    expect(session).not.toContain(row.hash)
  })

  test('gives the account its roles, and signing out takes them away', async () => {
    const control = await testControl({ database: await store.open() })
    const { email } = await createLocalUser(control, 'auditor')
    const browser = testBrowser(control)
    expect((await browser.signIn(email)).status).toBe(201)
    expect((await browser.call('GET', '/audit')).status).toBe(200)
    expect((await browser.call('POST', '/workspaces', { name: 'x' })).status).toBe(403)
    const cookies = new Map(browser.cookies)
    expect((await browser.call('POST', '/sessions/current/end')).status).toBe(204)
    expect(browser.cookies.has('headgate-session')).toBe(false)
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    expect((await browser.call('GET', '/audit')).status).toBe(401)
  })

  test('slows down who guesses, without keeping out the browser that was there before', async () => {
    const clock = testClock()
    const control = await testControl({ database: await store.open(), clock })
    const { email } = await createLocalUser(control)
    const owner = testBrowser(control)
    await owner.signIn(email)
    const attacker = testBrowser(control)
    const statuses: number[] = []
    for (let attempt = 0; attempt < 14; attempt++) {
      statuses.push((await attacker.signIn(email, `wrong password ${attempt}`)).status)
    }
    expect(statuses.slice(0, 11)).toEqual(Array.from({ length: 11 }, () => 401))
    expect(statuses.slice(11)).toEqual([429, 429, 429])
    expect((await attacker.signIn(email)).headers.get('retry-after')).toBe('1')
    expect((await owner.signIn(email)).status).toBe(201)
    clock.advance(MINUTE_MS)
    expect((await testBrowser(control).signIn(email)).status).toBe(201)
  })

  test('leaves no session when the password is changed, or the account locked out, before the old one was checked', async () => {
    const control = await testControl({ database: await store.open() })
    const { database, call, done } = control
    for (const change of ['password', 'lock'] as const) {
      const { userId, email } = await createLocalUser(control)
      const { token } = await done('POST', `/users/${userId}/invitations`, {})
      let isOver = false
      const begun = testBrowser(control)
        .signIn(email)
        .finally(() => (isOver = true))
      const attempts = database.read.selectFrom('sign_in_attempts').select('failures')
      const { subject } = accountAttempt(email)
      // It is counted before it is judged, so it is under way then.
      while (!isOver && (await attempts.where('subject', '=', subject).execute()).length === 0) await nextTurn()
      const password = 'a heron above the harbour'
      if (change === 'password') await done('POST', '/invitations/accept', { token, password })
      else await call('PUT', `/users/${userId}/disabled`, { body: { disabled: true }, headers: { 'if-match': '*' } })
      await begun
      const sessions = database.read.selectFrom('sessions').select('id').where('user_id', '=', userId)
      expect(await sessions.execute()).toEqual([])
    }
  })

  test('counts attempts that come at the same moment one by one', async () => {
    const control = await testControl({ database: await store.open(), clock: testClock() })
    const { email } = await createLocalUser(control)
    const attempts = Array.from({ length: 20 }, (_, at) => testBrowser(control).signIn(email, `wrong password ${at}`))
    const statuses = (await Promise.all(attempts)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 401).length).toBe(11)
  })
})

describe('an account that does not exist', () => {
  test('is answered as one with another password, byte for byte, also when there were too many attempts', async () => {
    const control = await testControl({ clock: testClock() })
    const { email } = await createLocalUser(control)
    const answersOf = async (address: string): Promise<unknown[]> => {
      const answers: unknown[] = []
      for (let attempt = 0; attempt < 13; attempt++) {
        const { status, headers, body } = await testBrowser(control).signIn(address, 'not the password')
        answers.push([status, headers.get('retry-after'), { ...body, instance: '' }])
      }
      return answers
    }
    expect(await answersOf('nobody@example.com')).toEqual(await answersOf(email))
  })

  test('neither does one that is disabled, of a service or without a password', async () => {
    const control = await testControl()
    const { email, userId } = await createLocalUser(control)
    await control
      .done('PUT', `/users/${userId}/disabled`, { disabled: true }, { 'if-match': '*' })
      .catch(() => undefined)
    await control.database.write((db) => db.updateTable('users').set({ disabled_at_ms: 1 }).execute())
    expect((await testBrowser(control).signIn(email)).body['code']).toBe('sign_in.failed')
    await control.done('POST', '/users', { email: 'robot@example.com', name: 'R', isService: true })
    expect((await testBrowser(control).signIn('robot@example.com')).body['code']).toBe('sign_in.failed')
  })
})

describe('a session', () => {
  test('begins with a new token: one that was put into the browser before is of no use', async () => {
    const control = await testControl()
    const { email } = await createLocalUser(control)
    const attacker = testBrowser(control)
    await attacker.signIn((await createLocalUser(control)).email)
    const planted = attacker.cookies.get('headgate-session') ?? ''
    const victim = testBrowser(control)
    victim.cookies.set('headgate-session', planted)
    await victim.signIn(email)
    expect(victim.cookies.get('headgate-session')).not.toBe(planted)
    expect((await attacker.call('GET', '/sessions/current')).status).toBe(401)
  })

  test('is refused when a sibling domain put a second cookie beside it', async () => {
    const control = await testControl()
    const { email } = await createLocalUser(control)
    const browser = testBrowser(control)
    await browser.signIn(email)
    const token = browser.cookies.get('headgate-session') ?? ''
    const cookie = `headgate-session=${token}; headgate-session=${token}`
    expect((await browser.call('GET', '/users', undefined, { cookie })).status).toBe(401)
  })

  test('ends when it is idle for too long, and after its time in any case', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const { email } = await createLocalUser(control)
    const [idle, busy] = [testBrowser(control), testBrowser(control)]
    await idle.signIn(email)
    await busy.signIn(email)
    const statuses: number[] = []
    for (let hour = 0; hour < 25; hour++) {
      clock.advance(30 * MINUTE_MS)
      statuses.push((await busy.call('GET', '/users')).status)
    }
    expect((await idle.call('GET', '/users')).status).toBe(401)
    expect(statuses.indexOf(401)).toBe(23)
  })

  test('is listed and revoked by its owner, and by nobody else without a right to accounts', async () => {
    const control = await testControl()
    const { email, userId } = await createLocalUser(control, 'viewer')
    const [here, there] = [testBrowser(control), testBrowser(control)]
    await here.signIn(email)
    await there.signIn(email)
    const { items } = (await here.call('GET', '/users/me/sessions')).body
    const other = Array.isArray(items)
      ? items.find((each) => JSON.stringify(each).includes('"current":false'))
      : undefined
    const id = /session_\w+/.exec(JSON.stringify(other))?.[0] ?? ''
    const stranger = testBrowser(control)
    await stranger.signIn((await createLocalUser(control, 'viewer')).email)
    expect((await stranger.call('POST', `/users/${userId}/sessions/${id}/revoke`)).status).toBe(404)
    expect((await stranger.call('POST', `/users/me/sessions/${id}/revoke`)).status).toBe(404)
    expect((await here.call('POST', `/users/me/sessions/${id}/revoke`)).status).toBe(204)
    expect((await there.call('GET', '/sessions/current')).status).toBe(401)
    expect((await here.call('GET', '/sessions/current')).status).toBe(200)
  })
})

describe('a write with a session', () => {
  test('is refused when a page of another site sends it, or the token is missing or of another session', async () => {
    const control = await testControl()
    const { email } = await createLocalUser(control)
    const [browser, other] = [testBrowser(control), testBrowser(control)]
    await browser.signIn(email)
    await other.signIn(email)
    const forged: Readonly<Record<string, string>>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://control.test.evil.example' },
      { 'x-headgate-csrf': '' },
      { 'x-headgate-csrf': other.csrfToken },
    ]
    for (const fields of forged) {
      const { status, body } = await browser.call('POST', '/workspaces', { name: 'forged' }, fields)
      expect([fields, status, body['code']]).toEqual([fields, 403, 'sign_in.foreign_origin'])
    }
    expect((await browser.call('POST', '/workspaces', { name: 'real' })).status).toBe(201)
  })

  test('is refused as text or a form, which pages send without asking', async () => {
    const control = await testControl()
    const { email } = await createLocalUser(control)
    const browser = testBrowser(control)
    await browser.signIn(email)
    const cookie = `headgate-session=${browser.cookies.get('headgate-session')}`
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const headers = { cookie, 'content-type': type, 'x-headgate-csrf': browser.csrfToken }
      const init = { method: 'POST', headers, body: '{"name":"forged"}' }
      const caller = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
      const { status } = await control.app.request('http://control.test/api/v1/workspaces', init, caller)
      expect([type, status]).toEqual([type, 400])
    }
  })

  test('cannot sign a browser in to the account of somebody else from another site', async () => {
    const control = await testControl()
    const { email } = await createLocalUser(control)
    const fields = { 'sec-fetch-site': 'cross-site' }
    const answer = await testBrowser(control).call('POST', '/sessions', { email, password: PASSWORD }, fields)
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []])
  })
})

describe('a password', () => {
  test('that is changed ends all other sessions and renews this one', async () => {
    const control = await testControl()
    const { email } = await createLocalUser(control)
    const [here, there] = [testBrowser(control), testBrowser(control)]
    await here.signIn(email)
    await there.signIn(email)
    const before = here.cookies.get('headgate-session')
    const change = (current: string) =>
      here.call('POST', '/users/me/password', { current, password: 'another marmot on the moraine' })
    expect((await change('wrong password')).status).toBe(401)
    expect((await change(PASSWORD)).status).toBe(200)
    expect(here.cookies.get('headgate-session')).not.toBe(before)
    expect((await here.call('GET', '/users')).status).toBe(200)
    expect((await there.call('GET', '/users')).status).toBe(401)
    expect((await testBrowser(control).signIn(email)).status).toBe(401)
    expect((await testBrowser(control).signIn(email, 'another marmot on the moraine')).status).toBe(201)
  })

  test('cannot be changed with a token', async () => {
    const control = await testControl()
    const { userId } = await createLocalUser(control)
    const made = await control.done('POST', `/users/${userId}/tokens`, { name: 'x', scopes: ['users.write'] })
    const body = { current: PASSWORD, password: 'another marmot on the moraine' }
    const answer = await control.call('POST', '/users/me/password', { token: textOf(made, 'token'), body })
    expect(answer.body['code']).toBe('sign_in.session_needed')
  })

  test('is chosen by an invitation that is good once, for its time, and void after the next', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const { userId } = await createLocalUser(control)
    const invite = async (): Promise<string> =>
      textOf(await control.done('POST', `/users/${userId}/invitations`, { hours: 1 }), 'token')
    const accept = async (token: string) =>
      (await control.call('POST', '/invitations/accept', { token: '', body: { token, password: PASSWORD } })).status
    const first = await invite()
    const second = await invite()
    expect(await accept(first)).toBe(403)
    expect((await Promise.all([accept(second), accept(second)])).toSorted((a, b) => a - b)).toEqual([200, 403])
    const late = await invite()
    clock.advance(61 * MINUTE_MS)
    expect(await accept(late)).toBe(403)
  })

  test('of an owner is out of reach of an admin, also by an invitation or a token', async () => {
    const control = await testControl()
    const owner = await createLocalUser(control, 'owner')
    const browser = testBrowser(control)
    await browser.signIn((await createLocalUser(control, 'admin')).email)
    const at = `/users/${owner.userId}`
    expect((await browser.call('POST', `${at}/invitations`, {})).status).toBe(403)
    expect((await browser.call('POST', `${at}/totp/reset`)).status).toBe(403)
    const scopes = ['keys.write']
    expect((await browser.call('POST', `${at}/tokens`, { name: 'x', scopes })).status).toBe(403)
    const disabled = await browser.call('PUT', `${at}/disabled`, { disabled: true }, { 'if-match': '*' })
    expect(disabled.status).toBe(403)
  })
})
