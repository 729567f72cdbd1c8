import { describe, expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { createLocalUser, PASSWORD, testBrowser, textOf, type TestBrowser } from '../../../test/test-browser.ts'
import { testControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { beginAttempt, codeAttempt } from '../sessions/sign-in-throttle.ts'
import { codeAt, createTotpSecret, findStep } from './totp.ts'

describe('a code', () => {
  // RFC 6238 appendix B, SHA-1: the last six of its eight digits.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('of the second %i is the one of RFC 6238', (seconds, code) => {
    expect(codeAt(secret, seconds * 1000)).toBe(code)
  })

  test('is taken one step before and after its own, never twice, and no step before the last one', () => {
    const own = createTotpSecret()
    const step = 1000
    const code = codeAt(own, step * 30_000)
    expect(findStep(own, code, (step + 1) * 30_000, 0)).toBe(step)
    expect(findStep(own, code, (step - 1) * 30_000, 0)).toBe(step)
    expect(findStep(own, code, (step + 2) * 30_000, 0)).toBeUndefined()
    expect(findStep(own, code, step * 30_000, step)).toBeUndefined()
  })
})

async function setUp(browser: TestBrowser, nowMs: number) {
  const begun = await browser.call('POST', '/users/me/totp', { password: PASSWORD })
  const secret = textOf(begun.body, 'secret')
  const confirmed = await browser.call('POST', '/users/me/totp/confirm', { code: codeAt(secret, nowMs) })
  const codes: unknown = confirmed.body['recoveryCodes']
  return { secret, codes: Array.isArray(codes) ? codes.map(String) : [] }
}

describeOnEveryStore('an account with TOTP', (store) => {
  test('asks for a code, takes each once, and a recovery code once', async () => {
    const clock = testClock()
    const control = await testControl({ database: await store.open(), clock })
    const { email } = await createLocalUser(control)
    const browser = testBrowser(control)
    await browser.signIn(email)
    const { secret, codes } = await setUp(browser, clock.now())
    expect(new Set(codes).size).toBe(10)
    const kept = await control.database.read.selectFrom('users').select('totp').where('email', '=', email).execute()
    expect(JSON.stringify(kept)).not.toContain(secret)
    const codeOf = async (code?: string) =>
      (await testBrowser(control).signIn(email, PASSWORD, code)).body['code'] ?? 'in'
    expect(await codeOf()).toBe('sign_in.code_needed')
    expect(await codeOf(codeAt(secret, clock.now()))).toBe('sign_in.failed')
    clock.advance(30_000)
    const code = codeAt(secret, clock.now())
    expect((await Promise.all([codeOf(code), codeOf(code)])).filter((each) => each === 'in')).toEqual(['in'])
    const [recovery = ''] = codes
    expect(await codeOf(recovery.toLowerCase().replaceAll('-', ' '))).toBe('in')
    expect(await codeOf(recovery)).toBe('sign_in.failed')
    await control.control.failures.flush()
    // The password was right each time, which is what whoever reads it has to know.
    const { items } = await control.done('GET', '/audit?action=failedSignIn')
    expect(JSON.stringify(items).match(/"reason":"\w+"/g)).toEqual(Array.from({ length: 3 }, () => '"reason":"code"'))
  })
})

describe('the second factor', () => {
  test('cannot be guessed: from wherever it is tried, few codes are judged in a day', async () => {
    const clock = testClock()
    const { control } = await testControl({ clock })
    let judged = 0
    for (let minute = 0; minute < 24 * 60; minute += 5) {
      clock.advance(300_000)
      judged += await beginAttempt(control, [codeAttempt('user_1')]).then(
        () => 1,
        () => 0,
      )
    }
    expect(judged).toBeLessThan(100)
  })

  test('that somebody else guesses at does not keep out who has a recovery code', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const { email } = await createLocalUser(control)
    const browser = testBrowser(control)
    await browser.signIn(email)
    const { codes } = await setUp(browser, clock.now())
    const attacker = testBrowser(control)
    const statuses: number[] = []
    for (const code of ['000000', '000001', '000002', '000003', '000004', '000005', '000006']) {
      statuses.push((await attacker.signIn(email, PASSWORD, code)).status)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429])
    expect((await browser.signIn(email, PASSWORD, codes[0])).status).toBe(201)
  })

  test('can be demanded: nothing else is permitted before it is set up', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const { email } = await createLocalUser(control)
    await control.done('PUT', '/access', { requireTotp: true }, { 'if-match': '*' })
    const browser = testBrowser(control)
    await browser.signIn(email)
    expect((await browser.call('GET', '/users')).body['code']).toBe('sign_in.totp_needed')
    expect((await browser.call('POST', '/users/me/tokens', { name: 'x', scopes: ['apis.read'] })).status).toBe(403)
    expect((await browser.call('GET', '/sessions/current')).body['needs']).toBe('totp')
    await setUp(browser, clock.now())
    expect((await browser.call('GET', '/users')).status).toBe(200)
  })

  test('is taken away by its owner with password and code, or by an admin, which ends the sessions', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const { email, userId } = await createLocalUser(control, 'viewer')
    const browser = testBrowser(control)
    await browser.signIn(email)
    const { codes } = await setUp(browser, clock.now())
    const remove = async (code: string) =>
      (await browser.call('POST', '/users/me/totp/remove', { password: PASSWORD, code })).status
    expect(await remove('000000')).toBe(401)
    expect(await remove(codes[0] ?? '')).toBe(204)
    await setUp(browser, clock.now() + 30_000)
    await control.done('POST', `/users/${userId}/totp/reset`)
    expect((await browser.call('GET', '/sessions/current')).status).toBe(401)
    expect((await testBrowser(control).signIn(email)).status).toBe(201)
  })
})
