import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../db/client.ts'
import type { Tables } from '../db/tables.ts'
import type { Kysely } from 'kysely'
import { parseTrustedProxies } from '../control/caller-address.ts'
import { startControl } from '../control/control-process.ts'
import { createAuditCommand } from './audit.ts'

const token = 'an-admin-token-of-the-tests'
const log = pino({ level: 'silent' })

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs a control plane on the folder that makes a workspace for each name; its signed head after that. */
async function changeThings(dataDir: string, names: readonly string[]): Promise<string> {
  const control = await startControl({
    version: '0.0.0',
    dataDir,
    databaseUrl: undefined,
    masterKey: undefined,
    adminToken: token,
    environment: 'production',
    publicUrl: undefined,
    trustedProxies: parseTrustedProxies(''),
    host: '127.0.0.1',
    port: 0,
    log,
    documents: { allowPrivateAddresses: false, hosts: [], mostKeptBytes: 2 ** 30 },
    webhookPrivate: false,
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const url = `http://127.0.0.1:${control.port}/api/v1`
  for (const name of names) {
    const body = JSON.stringify({ name })
    expect((await fetch(`${url}/workspaces`, { method: 'POST', headers, body })).status).toBe(201)
  }
  const head = await (await fetch(`${url}/audit/head`, { headers })).text()
  await control.stop()
  return head
}

async function tamper(folder: string, work: (db: Kysely<Tables>) => Promise<unknown>): Promise<void> {
  const database = await openDatabase({ url: undefined, folder, log })
  await database.write(work)
  await database.close()
}

async function verify(folder: string, ...more: string[]) {
  let output = ''
  let code = -1
  const write = (text: string): void => void (output += text)
  const surroundings = { environment: {}, write, writeError: write, readSecret: () => Promise.resolve('') }
  const command = createAuditCommand(surroundings, (given) => {
    code = given
  })
  await command.parseAsync(['verify', '--data-dir', folder, ...more], { from: 'user' })
  return { code, output }
}

test('says that an audit is whole, and which head it was compared with', async () => {
  const folder = makeFolder()
  await changeThings(folder, ['red', 'blue'])
  const { code, output } = await verify(folder)
  expect(output).toMatch(
    /^Compared with the head of \S+: entry 2, signed by SHA256:\S+\.\nThe audit is whole: 2 entries\.\n$/,
  )
  expect(code).toBe(0)
})

test('notices an end that was cut off, which the chain alone does not show', async () => {
  const folder = makeFolder()
  await changeThings(folder, ['red', 'blue', 'green'])
  await tamper(folder, (db) => db.deleteFrom('audit').where('seq', '=', 3).execute())
  const { code, output } = await verify(folder)
  expect([code, output]).toEqual([1, expect.stringContaining('entry 3: ends before entry 3')])
})

test('notices an audit that was written anew, by a head that was kept elsewhere', async () => {
  const folder = makeFolder()
  const other = makeFolder()
  const head = join(other, 'head.json')
  writeFileSync(head, await changeThings(folder, ['red', 'blue']))
  await tamper(folder, (db) => db.deleteFrom('audit').execute())
  rmSync(join(folder, 'audit-head.json'))
  await changeThings(folder, ['green', 'black'])
  expect((await verify(folder)).code).toBe(0)
  const { code, output } = await verify(folder, '--head', head)
  expect([code, output]).toEqual([1, expect.stringContaining('has another entry 2')])
})

test('does not overwrite the head that a tampered audit contradicts, nor believe one that was changed', async () => {
  const folder = makeFolder()
  await changeThings(folder, ['red', 'blue'])
  const path = join(folder, 'audit-head.json')
  const kept = readFileSync(path, 'utf8')
  await tamper(folder, (db) => db.deleteFrom('audit').where('seq', '=', 2).execute())
  await changeThings(folder, [])
  expect(readFileSync(path, 'utf8')).toBe(kept)
  const forged = join(makeFolder(), 'head.json')
  writeFileSync(forged, kept.replace('"seq": 2', '"seq": 1'))
  copyFileSync(forged, path)
  const { code, output } = await verify(folder)
  expect([code, output]).toEqual([1, expect.stringContaining('a head with a wrong signature')])
})

test('says what it cannot read', async () => {
  const { code, output } = await verify(makeFolder())
  expect(code).toBe(1)
  expect(output).not.toBe('')
  const { code: missing } = await verify(makeFolder(), '--head', '/nowhere/head.json')
  expect(missing).toBe(1)
})
