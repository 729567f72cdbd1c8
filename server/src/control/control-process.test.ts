import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { listenLocally } from '../../test/local-server.ts'
import { parseTrustedProxies } from './caller-address.ts'
import { startControl, type ControlProcess } from './control-process.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-control-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function startAt(dataDir: string, port: number): Promise<ControlProcess> {
  return startControl({
    version: '0.0.0',
    dataDir,
    databaseUrl: undefined,
    masterKey: undefined,
    adminToken: undefined,
    environment: 'production',
    publicUrl: undefined,
    trustedProxies: parseTrustedProxies(''),
    host: '127.0.0.1',
    port,
    log: pino({ level: 'silent' }),
    documents: { allowPrivateAddresses: false, hosts: [], mostKeptBytes: 2 ** 30 },
    webhookPrivate: false,
  })
}

test('the admin token comes from the first start that serves: one that failed showed it to nobody', async () => {
  const dataDir = makeFolder()
  await expect(startAt(dataDir, await listenLocally(createServer()))).rejects.toThrow('EADDRINUSE')
  const first = await startAt(dataDir, 0)
  expect(first.freshToken).toMatch(/^hg_admin_/)
  expect(readFileSync(join(dataDir, 'admin-token.sha256'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  await first.stop()
  const second = await startAt(dataDir, 0)
  onTestFinished(() => second.stop())
  expect(second.freshToken).toBeUndefined()
  const headers = { authorization: `Bearer ${first.freshToken}` }
  expect((await fetch(`http://127.0.0.1:${second.port}/api/v1/workspaces`, { headers })).status).toBe(200)
})

test('who did not get in just before the control plane stopped is in the audit', async () => {
  const dataDir = makeFolder()
  const first = await startAt(dataDir, 0)
  const { status } = await fetch(`http://127.0.0.1:${first.port}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'nobody@example.com', password: 'what somebody typed' }),
  })
  expect(status).toBe(401)
  await first.stop()
  const second = await startAt(dataDir, 0)
  onTestFinished(() => second.stop())
  const headers = { authorization: `Bearer ${first.freshToken}` }
  const answer = await fetch(`http://127.0.0.1:${second.port}/api/v1/audit?action=failedSignIn`, { headers })
  expect(await answer.json()).toMatchObject({ items: [{ action: 'failedSignIn', after: { reason: 'password' } }] })
})

test('the control plane stops when its store is gone already', async () => {
  const started = await startAt(makeFolder(), 0)
  await started.control.database.close()
  await expect(started.stop()).resolves.toBeUndefined()
})

test('a control plane removes documents that nothing has named for a while', async () => {
  const dataDir = makeFolder()
  const first = await startAt(dataDir, 0)
  await first.control.database.write(async (db) => {
    await db.insertInto('blobs').values({ hash: 'unused', content: 'openapi: 3.1.0' }).execute()
    await db.insertInto('documents').values({ hash: 'unused', bytes: 14, unused_since_ms: 0 }).execute()
  })
  await first.stop()
  const second = await startAt(dataDir, 0)
  onTestFinished(() => second.stop())
  await expect.poll(() => second.control.database.read.selectFrom('blobs').select('hash').execute()).toEqual([])
})
