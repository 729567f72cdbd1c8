import { generateKeyPairSync, sign } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { createLocalUser, PASSWORD, testBrowser, textOf } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { readTableShapes } from '../../db/table-shapes.ts'
import { findSigner, isSignedBy, toEndorsementText } from '../../kernel/signing-chain.ts'
import { withSecrets } from '../secrets/secret-values.ts'
import { codeAt } from '../totp/totp.ts'
import { ACTIVATION_MS, KEPT_LOOK_MS, tendKeys } from './rotate-keys.ts'

const MINUTE_MS = 60_000

/** Every text of the store in which the id of a key stands before a dot: what that key sealed. */
async function tablesWith({ database }: TestControl, keyId: string): Promise<string[]> {
  const found: string[] = []
  for (const { name } of await readTableShapes(database.read, database.dialect)) {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(database.read)
    if (JSON.stringify(rows).includes(`${keyId}.`)) found.push(name)
  }
  return found
}

const keyIdsOf = async ({ database }: TestControl, purpose: string): Promise<string[]> => {
  const rows = await database.read
    .selectFrom('keys')
    .select('id')
    .where('purpose', '=', purpose)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

describeOnEveryStore('the key that seals secrets', (store) => {
  test('is rotated: everything is sealed anew and opens as before, and the old key is wiped out', async () => {
    const clock = testClock()
    const control = await testControl({ database: await store.open(), clock })
    await control.done('POST', '/workspaces/default/secrets', { name: 'token', value: 'a-very-secret-value' })
    const settings = '/environments/production/gateway'
    await control.done('PUT', settings, { debugKey: 'a-debug-key-of-gateways' }, { 'if-match': '*' })
    await control.done('POST', '/identity-providers', {
      name: 'company',
      issuer: 'https://idp.example',
      clientId: 'headgate',
      clientSecret: 'a-secret-of-the-client',
    })
    await control.done('POST', '/workspaces', { name: 'red' }, { 'idempotency-key': 'once' })
    const { email } = await createLocalUser(control)
    const browser = testBrowser(control)
    await browser.signIn(email)
    const secret = textOf((await browser.call('POST', '/users/me/totp', { password: PASSWORD })).body, 'secret')
    await browser.call('POST', '/users/me/totp/confirm', { code: codeAt(secret, clock.now()) })

    const [old = ''] = await keyIdsOf(control, 'seal')
    expect((await tablesWith(control, old)).length).toBe(4)
    await control.done('POST', '/keys/rotate', { purpose: 'seal' })
    await tendKeys(control.control)
    expect((await tablesWith(control, old)).length).toBe(4)
    clock.advance(ACTIVATION_MS)
    await tendKeys(control.control)
    expect(await tablesWith(control, old)).toEqual([])
    clock.advance(11 * MINUTE_MS)
    await tendKeys(control.control)
    const { items } = await control.done('GET', '/keys')
    expect(items).toContainEqual(expect.objectContaining({ id: old, state: 'retired' }))
    const row = await control.database.read.selectFrom('keys').select('sealed').where('id', '=', old).executeTakeFirst()
    expect(row).toEqual({ sealed: '' })

    const workspace = await control.database.read
      .selectFrom('workspaces')
      .selectAll()
      .where('name', '=', 'default')
      .executeTakeFirstOrThrow()
    const document = { value: '${secret:token}' }
    const opened = await withSecrets(control.database.read, control.control, workspace, document)
    expect(opened).toEqual({ value: 'a-very-secret-value' })
    const { debugKey = '' } = await control.done('GET', settings)
    expect(await control.done('PUT', settings, { debugKey }, { 'if-match': '*' })).toEqual({ debugKey })
    const again = await control.call('POST', '/workspaces', {
      body: { name: 'red' },
      headers: { 'idempotency-key': 'once' },
    })
    expect(again.status).toBe(201)
    expect((await testBrowser(control).signIn(email, PASSWORD, codeAt(secret, clock.now()))).status).toBe(201)
  })

  test('is kept as long as anything in the store needs it, also where nobody thought of', async () => {
    const clock = testClock()
    const control = await testControl({ database: await store.open(), clock })
    const [old = ''] = await keyIdsOf(control, 'seal')
    const value = control.control.keys.seal('forgotten', 'somewhere')
    await control.database.write((db) => db.insertInto('meta').values({ name: 'forgotten', value }).execute())
    await control.done('POST', '/keys/rotate', { purpose: 'seal' })
    clock.advance(ACTIVATION_MS + 11 * MINUTE_MS)
    await tendKeys(control.control)
    expect(control.control.keys.open(value, 'somewhere')).toBe('forgotten')
    await control.database.write((db) => db.deleteFrom('meta').where('name', '=', 'forgotten').execute())
    clock.advance(KEPT_LOOK_MS)
    await tendKeys(control.control)
    const { items } = await control.done('GET', '/keys')
    expect(items).toContainEqual(expect.objectContaining({ id: old, state: 'retired' }))
  })
})

test('the whole store is looked through for an old key once in ten minutes, and not at every look after the keys', async () => {
  const clock = testClock()
  const control = await testControl({ clock })
  const value = control.control.keys.seal('forgotten', 'somewhere')
  await control.database.write((db) => db.insertInto('meta').values({ name: 'forgotten', value }).execute())
  await control.done('POST', '/keys/rotate', { purpose: 'seal' })
  clock.advance(ACTIVATION_MS + 11 * MINUTE_MS)
  const warnings: unknown[] = []
  const log = { ...control.control.log, warn: (...words: unknown[]) => warnings.push(words), info: () => undefined }
  const keeping = { ...control.control, log }
  await tendKeys(keeping)
  await tendKeys(keeping)
  clock.advance(KEPT_LOOK_MS - 1)
  await tendKeys(keeping)
  expect(warnings).toHaveLength(1)
  clock.advance(1)
  await tendKeys(keeping)
  expect(warnings).toHaveLength(2)
})

describe('the key that signs snapshots', () => {
  test('is followed by who trusts any key before it, over several rotations, and not by a chain of somebody else', async () => {
    const clock = testClock()
    const control = await testControl({ clock })
    const { keys } = control.control
    const trusted = [keys.publicKey]
    for (let rotation = 0; rotation < 3; rotation++) {
      await control.done('POST', '/keys/rotate', { purpose: 'sign' })
      const refused = await control.call('POST', '/keys/rotate', { body: { purpose: 'sign' } })
      expect(refused.status).toBe(409)
      expect(keys.publicKey).toBe(trusted.at(-1))
      clock.advance(ACTIVATION_MS)
      expect(keys.publicKey).not.toBe(trusted.at(-1))
      trusted.push(keys.publicKey)
      clock.advance(11 * MINUTE_MS)
      await tendKeys(control.control)
    }
    const signature = keys.sign('a text')
    for (const key of trusted) expect(findSigner(key, keys.signers, 'a text', signature)).toBe(keys.publicKey)
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const own = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const endorsement = sign(null, Buffer.from(toEndorsementText(own)), privateKey).toString('base64')
    const forged = sign(null, Buffer.from('a text'), privateKey).toString('base64')
    expect(isSignedBy(own, 'a text', forged)).toBe(true)
    const chain = [...keys.signers, { publicKey: own, endorsement }]
    for (const key of trusted) expect(findSigner(key, chain, 'a text', forged)).toBeUndefined()
  })
})
