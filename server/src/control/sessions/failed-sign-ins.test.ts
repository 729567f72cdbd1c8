import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { describeOnEveryStore } from '../../../test/database.ts'
import { createLocalUser, testBrowser } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'

const MINUTE_MS = 60_000
const WRONG = 'what somebody typed'

const entry = z.object({
  actor: z.string(),
  address: z.string(),
  target: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
  after: z.object({ reason: z.string().optional(), more: z.number().default(0) }),
})

/** The entries, the oldest first, and the whole audit as text. */
async function failures({ control, done }: TestControl) {
  await control.failures.flush()
  const { items } = await done('GET', '/audit?action=failedSignIn&limit=200')
  const entries = z.array(entry).parse(items).toReversed()
  return { entries, text: JSON.stringify(await done('GET', '/audit?limit=200')) }
}

describeOnEveryStore('a failed sign-in', (store) => {
  test('is in the audit with the account, the reason and the address, and without what was typed', async () => {
    const control = await testControl({ database: await store.open() })
    const { email, userId } = await createLocalUser(control)
    await testBrowser(control).signIn(email.toUpperCase(), WRONG)
    const { entries, text } = await failures(control)
    const target = { kind: 'user', id: userId, name: email }
    expect(entries).toMatchObject([{ actor: 'anonymous', target, after: { reason: 'password' }, address: '127.0.0.1' }])
    expect(text).not.toContain(WRONG)
    expect(await control.done('GET', '/audit/verification')).toMatchObject({ whole: true })
  })

  test('of a name without an account leaves no trace of the name', async () => {
    const control = await testControl({ database: await store.open() })
    await testBrowser(control).signIn('my-password-typed-into-the-wrong-field', WRONG)
    const { entries, text } = await failures(control)
    expect(entries).toMatchObject([{ target: { kind: 'user', id: '', name: '' }, after: { reason: 'password' } }])
    expect(text).not.toContain('wrong-field')
  })

  test('is one of ten entries in an hour at most, and one number for the rest when it is over', async () => {
    const clock = testClock()
    const control = await testControl({ database: await store.open(), clock })
    const { email, userId } = await createLocalUser(control)
    for (let at = 0; at < 25; at++) await testBrowser(control).signIn(email, WRONG)
    for (let at = 0; at < 12; at++) await testBrowser(control).signIn(`nobody-${at}@example.com`, WRONG)
    expect((await failures(control)).entries.length).toBe(20)
    clock.advance(60 * MINUTE_MS)
    const { entries } = await failures(control)
    const rest = entries.slice(20).toSorted((a, b) => b.after.more - a.after.more)
    expect(rest).toMatchObject([
      { actor: 'installation', target: { id: userId, name: email }, after: { more: 15 } },
      { actor: 'installation', target: { id: '', name: '' }, after: { more: 2 } },
    ])
    await control.control.failures.flush()
    expect((await failures(control)).entries.length).toBe(22)
    await testBrowser(control).signIn(email, WRONG)
    expect((await failures(control)).entries.at(-1)).toMatchObject({
      target: { id: userId },
      after: { reason: 'password' },
    })
  })

  test('is not lost when the store cannot be written at the moment', async () => {
    const control = await testControl({ database: await store.open() })
    const { email } = await createLocalUser(control)
    await testBrowser(control).signIn(email, WRONG)
    const { database } = control
    await database.write((db) => db.schema.alterTable('audit').renameTo('away').execute())
    await expect(control.control.failures.flush()).rejects.toThrow(/audit/)
    await database.write((db) => db.schema.alterTable('away').renameTo('audit').execute())
    expect((await failures(control)).entries.length).toBe(1)
  })

  test('is counted, not kept, when there are thousands before the store can be written', async () => {
    const clock = testClock()
    const control = await testControl({ database: await store.open(), clock })
    const { failures: kept } = control.control
    const claimed = { by: 'email', email: 'nobody@example.com' } as const
    const failure = { atMs: clock.now(), reason: 'password', claimed, actor: 'anonymous', address: '', requestId: '' }
    const { database } = control
    await database.write((db) => db.schema.alterTable('audit').renameTo('away').execute())
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 900; at++) kept.note(failure)
      await expect(kept.flush()).rejects.toThrow(/audit/)
    }
    await database.write((db) => db.schema.alterTable('away').renameTo('audit').execute())
    await kept.flush()
    clock.advance(60 * MINUTE_MS)
    expect((await failures(control)).entries.at(-1)).toMatchObject({ after: { more: 2_690 } })
  })
})

describe('the reason of a failed sign-in', () => {
  test('tells who has to wait, and who sits at the browser of somebody else', async () => {
    const control = await testControl({ clock: testClock() })
    const { email, userId } = await createLocalUser(control)
    const owner = testBrowser(control)
    await owner.signIn(email)
    for (let at = 0; at < 8; at++) {
      await owner.call('POST', '/users/me/password', { current: WRONG, password: 'another marmot on the moraine' })
    }
    const { entries } = await failures(control)
    expect(entries.map(({ after }) => after.reason)).toEqual([
      ...Array.from({ length: 6 }, () => 'password'),
      ...Array.from({ length: 2 }, () => 'delayed'),
    ])
    expect(entries[0]).toMatchObject({ actor: `user:${userId}`, target: { id: userId, name: email } })
  })

  test('tells a provider whose answer was refused', async () => {
    const control = await testControl({ publicUrl: 'http://control.test' })
    const provider = {
      name: 'company',
      issuer: 'https://id.example',
      clientId: 'x',
      clientSecret: 'a-secret-of-the-client',
    }
    await control.done('POST', '/identity-providers', provider)
    const { status } = await testBrowser(control).call('GET', '/sign-in/company/callback?code=x&state=y')
    expect(status).toBe(401)
    const target = { kind: 'identity-provider', name: 'company' }
    expect((await failures(control)).entries).toMatchObject([{ target, after: { reason: 'refused' } }])
  })
})
