import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { describeOnPostgres } from '../../../test/database.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { ADMIN_TOKEN, testControl } from '../../../test/test-control.ts'
import { parseTrustedProxies } from '../../control/caller-address.ts'
import { startControl } from '../../control/control-process.ts'
import { checkStore, type StorePlace } from '../../control/doctor/check-store.ts'
import type { Finding } from '../../control/doctor/finding.ts'
import { listenForControl } from '../../control/server.ts'
import { openDatabase } from '../../db/client.ts'
import { systemClock } from '../../kernel/clock.ts'
import { checkControl } from './check-control.ts'
import { checkDataFolder, checkDisk, checkNode, checkPort } from './check-machine.ts'

const program = join(import.meta.dirname, '../headgate.ts')
const log = pino({ level: 'silent' })

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'headgate-doctor-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A data folder in which a control plane has run. */
async function usedFolder(): Promise<string> {
  const dataDir = folder()
  const parts = {
    version: '0.0.0',
    databaseUrl: undefined,
    masterKey: undefined,
    adminToken: ADMIN_TOKEN,
    publicUrl: undefined,
    trustedProxies: parseTrustedProxies(''),
  }
  const place = {
    environment: 'production',
    host: '127.0.0.1',
    port: 0,
    webhookPrivate: false,
    documents: { allowPrivateAddresses: false, hosts: [], mostKeptBytes: 2 ** 30 },
    log,
  }
  const control = await startControl({ ...parts, ...place, dataDir })
  await control.stop()
  return dataDir
}

function storeAt(dataDir: string, more: Partial<StorePlace> = {}): Promise<Finding[]> {
  return checkStore({ dataDir, databaseUrl: undefined, masterKey: undefined, clock: systemClock, log, ...more })
}

function surroundings(environment: Record<string, string>) {
  const none = (): void => undefined
  return { environment, write: none, writeError: none, readSecret: () => Promise.resolve('') }
}

test('a healthy installation has nothing wrong, and a command that says so with 0', async () => {
  const dataDir = await usedFolder()
  const args = [
    'doctor',
    '--json',
    '--data-dir',
    dataDir,
    '--control-port',
    '0',
    '--gateway-port',
    '0',
    '--metrics-port',
    '0',
  ]
  const env = { ...process.env, HEADGATE_CREDENTIALS_FILE: join(dataDir, 'none'), HEADGATE_DATA_DIR: dataDir }
  const child = spawn(process.execPath, [program, ...args], { env, stdio: 'pipe' })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  const answer: unknown = JSON.parse(out)
  expect([code, answer]).toEqual([0, { ok: true, findings: expect.any(Array) }])
  expect(out).not.toContain('"wrong"')
}, 30_000)

test('a broken one is told with what to do, and with 1', async () => {
  const dataDir = await usedFolder()
  rmSync(join(dataDir, 'master.key'))
  const args = ['doctor', '--data-dir', dataDir, '--control-port', '0', '--gateway-port', '0', '--metrics-port', '0']
  const env = { ...process.env, HEADGATE_CREDENTIALS_FILE: join(dataDir, 'none'), HEADGATE_DATA_DIR: dataDir }
  const child = spawn(process.execPath, [program, ...args], { env, stdio: 'pipe' })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect([code, out]).toEqual([1, expect.stringMatching(/✗ master key: It is missing.*\n {4}Give the one/)])
  expect(out).toContain('One thing is wrong.')
}, 30_000)

test('a port that is taken is told with who has it and how to go on', async () => {
  const code = "require('net').createServer().listen(0,'127.0.0.1',function(){console.log(this.address().port)})"
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(first.toString())
  expect(await checkPort('HEADGATE_GATEWAY_PORT', port, '127.0.0.1')).toMatchObject({
    state: 'wrong',
    detail: expect.stringContaining(`(process ${child.pid})`),
    remedy: `Stop it (kill ${child.pid}), or set HEADGATE_GATEWAY_PORT to another.`,
  })
})

test('a port that Headgate has is well, however deep the folder it runs in', async () => {
  const deep = join(folder(), 'a-long-way-down/'.repeat(10))
  mkdirSync(deep, { recursive: true })
  symlinkSync(program, join(deep, 'headgate.ts'))
  const args = ['control', '--control-port', '0', '--data-dir', folder()]
  const child = spawn(process.execPath, [join(deep, 'headgate.ts'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [ready] = await once(createInterface({ input: child.stderr }), 'line')
  const { port } = JSON.parse(ready)
  expect(await checkPort('HEADGATE_CONTROL_PORT', port, '127.0.0.1')).toMatchObject({
    state: 'ok',
    detail: `Headgate has it: headgate control (process ${child.pid}).`,
  })
}, 20_000)

test('a master key that is missing, or another one, is told', async () => {
  const dataDir = await usedFolder()
  expect(await storeAt(dataDir)).toMatchObject([{ state: 'ok' }, { check: 'master key', state: 'ok' }])
  const other = Buffer.alloc(32, 1).toString('base64')
  expect((await storeAt(dataDir, { masterKey: other }))[1]).toMatchObject({
    state: 'wrong',
    detail: expect.stringMatching(/another/),
  })
  rmSync(join(dataDir, 'master.key'))
  expect((await storeAt(dataDir))[1]).toMatchObject({ state: 'wrong', detail: expect.stringMatching(/missing/) })
})

test('data of a newer program is told, and left as it is', async () => {
  const dataDir = await usedFolder()
  const store = new Sqlite(join(dataDir, 'headgate.sqlite'))
  store.exec("insert into migrations values (3, '0003-from-the-future', 'x', 0)")
  store.close()
  expect(await storeAt(dataDir)).toMatchObject([
    { check: 'database', state: 'wrong', detail: expect.stringMatching(/0003-from-the-future/) },
  ])
})

test('a store that somebody holds locked is told', async () => {
  const dataDir = await usedFolder()
  const holder = new Sqlite(join(dataDir, 'headgate.sqlite'))
  onTestFinished(() => void holder.close())
  holder.exec('begin immediate')
  expect((await storeAt(dataDir))[0]).toMatchObject({
    check: 'database',
    state: 'wrong',
    remedy: expect.stringMatching(/fuser/),
  })
}, 20_000)

test('a damaged store is told', async () => {
  const dataDir = await usedFolder()
  for (const end of ['-wal', '-shm']) rmSync(join(dataDir, `headgate.sqlite${end}`), { force: true })
  writeFileSync(
    join(dataDir, 'headgate.sqlite'),
    'this is no database at all, but some text of some length'.repeat(100),
  )
  expect(await storeAt(dataDir)).toMatchObject([
    { check: 'database', state: 'wrong', remedy: expect.stringMatching(/restore/) },
  ])
})

test('a PostgreSQL that cannot be reached is told without its password', async () => {
  const port = await listenLocally(createServer().on('connection', (socket) => socket.destroy()))
  const findings = await storeAt(folder(), { databaseUrl: `postgres://me:hidden@127.0.0.1:${port}/headgate` })
  expect(findings).toMatchObject([
    { check: 'database', state: 'wrong', remedy: expect.stringMatching(/HEADGATE_DATABASE_URL/) },
  ])
  expect(JSON.stringify(findings)).not.toContain('hidden')
}, 60_000)

describeOnPostgres('the store', (store) => {
  test('is found well, and a clock that is not that of this machine is told', async () => {
    const { url, folder: dataDir } = await store.place()
    expect(await storeAt(dataDir, { databaseUrl: url })).not.toContainEqual(expect.objectContaining({ state: 'wrong' }))
    const ahead = { now: () => Date.now() + 60_000, monotonicMs: () => performance.now() }
    expect(await storeAt(dataDir, { databaseUrl: url, clock: ahead })).toContainEqual(
      expect.objectContaining({ check: 'clock against the database', state: 'wrong' }),
    )
  })

  test('of a newer program is told', async () => {
    const { url, folder: dataDir } = await store.place()
    const database = await openDatabase({ url, folder: dataDir, log })
    await database.write((db) => sql`insert into migrations values (3, '0003-from-the-future', 'x', 0)`.execute(db))
    await database.close()
    expect(await storeAt(dataDir, { databaseUrl: url })).toContainEqual(
      expect.objectContaining({ state: 'wrong', detail: expect.stringContaining('0003-from-the-future') }),
    )
  })
})

test('a data folder that is a file, cannot be made or is open to others is told', async () => {
  const dataDir = await usedFolder()
  expect(checkDataFolder(dataDir)).toMatchObject([{ state: 'ok' }])
  chmodSync(join(dataDir, 'master.key'), 0o644)
  expect(checkDataFolder(dataDir)).toMatchObject([
    { state: 'wrong', remedy: `chmod 600 ${join(dataDir, 'master.key')}` },
  ])
  expect(checkDataFolder(join(dataDir, 'master.key'))).toMatchObject([
    { state: 'wrong', detail: expect.stringMatching(/no folder/) },
  ])
  expect(checkDataFolder(join(dataDir, 'a', 'b'))).toMatchObject([
    { state: 'wrong', detail: expect.stringMatching(/cannot be made/) },
  ])
})

test('a disk that is nearly full and a Node that is too old are told', () => {
  const everything = Number.MAX_SAFE_INTEGER
  expect(checkDisk(folder(), { wrongBytes: 0, fewBytes: everything })).toMatchObject({ state: 'warning' })
  expect(checkDisk(folder(), { wrongBytes: everything, fewBytes: everything })).toMatchObject({ state: 'wrong' })
  expect(checkNode('20.19.0')).toMatchObject({ state: 'wrong', remedy: 'Install Node 24.11 or newer.' })
  expect(checkNode('24.11.0')).toMatchObject({ state: 'ok' })
})

test('certificates that end, gateways that lag and a clock that is wrong are told by the control plane', async () => {
  const { app, done, control } = await testControl()
  const server = await listenForControl(app, '127.0.0.1', 0)
  onTestFinished(() => server.close())
  const connection = { HEADGATE_URL: `http://127.0.0.1:${server.port}`, HEADGATE_TOKEN: ADMIN_TOKEN }
  const look = (nowMs = () => Date.now()) => checkControl({}, surroundings(connection), nowMs)
  expect(await look()).toMatchObject([{ state: 'ok' }, { state: 'ok' }, { state: 'ok' }, { state: 'ok' }])
  const soon = createCertificate('a', { names: ['a.example.com'], notAfter: new Date(Date.now() + 3 * 86_400_000) })
  await done('POST', '/workspaces/default/certificates', { name: 'soon', chain: soon.cert, key: soon.key })
  const inline = createCertificate('b', { names: ['b.example.com'], notAfter: new Date(Date.now() - 1_000) })
  const settings = { tls: { certificates: [{ cert: inline.cert, key: inline.key }] } }
  await done('PUT', '/environments/production/gateway', settings, { 'if-match': '*' })
  // Two pages of them, of which only the last one ends soon.
  await control.database.write(async (db) => {
    const row = await db.selectFrom('resources').selectAll().where('name', '=', 'soon').executeTakeFirstOrThrow()
    const later = createCertificate('c', { names: ['c.example.com'] })
    for (let count = 0; count < 200; count++) {
      const name = `more-${count}`
      const spec = JSON.stringify({ ...(JSON.parse(row.spec) as object), name, chain: later.cert })
      await db
        .insertInto('resources')
        .values({ ...row, id: `certificate_${count}`, name, spec })
        .execute()
    }
  })
  const row = { id: 'gateway_1', name: 'edge', environment: 'production', token_hash: 'x', revoked_at_ms: null }
  const times = { last_seen_at_ms: Date.now(), version: 1, created_at_ms: 0, updated_at_ms: 0 }
  await control.database.write((db) =>
    db
      .insertInto('gateways')
      .values({ ...row, ...times, report: JSON.stringify({ root: 'an old one' }) })
      .execute(),
  )
  const found = await look()
  expect(found).toContainEqual(expect.objectContaining({ check: 'gateway edge', state: 'wrong' }))
  expect(found).toContainEqual(expect.objectContaining({ check: 'certificate default/soon', state: 'warning' }))
  expect(found).toContainEqual(
    expect.objectContaining({ check: 'certificate 1 in the settings of production', state: 'wrong' }),
  )
  expect(await look(() => Date.now() + 60_000)).toContainEqual(
    expect.objectContaining({ check: 'clock against the control plane', state: 'wrong' }),
  )
})

test('a control plane that cannot be reached, or lets nobody in, is told', async () => {
  const port = await listenLocally(createServer().on('connection', (socket) => socket.destroy()))
  const away = { HEADGATE_URL: `http://127.0.0.1:${port}`, HEADGATE_TOKEN: 'x' }
  expect(await checkControl({}, surroundings(away), Date.now)).toMatchObject([
    { state: 'wrong', detail: expect.stringMatching(/cannot be reached/) },
  ])
  const { app } = await testControl()
  const server = await listenForControl(app, '127.0.0.1', 0)
  onTestFinished(() => server.close())
  const forged = { HEADGATE_URL: `http://127.0.0.1:${server.port}`, HEADGATE_TOKEN: 'forged' }
  expect((await checkControl({}, surroundings(forged), Date.now)).at(-1)).toMatchObject({
    state: 'wrong',
    detail: expect.stringMatching(/does not take this token/),
  })
  expect(await checkControl({}, surroundings({ HEADGATE_CREDENTIALS_FILE: '/nowhere' }), Date.now)).toMatchObject([
    { state: 'skipped' },
  ])
})

test('a control plane whose store is away, and a proxy that does not reach one, are told', async () => {
  const { app, database } = await testControl()
  const server = await listenForControl(app, '127.0.0.1', 0)
  onTestFinished(() => server.close())
  await database.close()
  const look = (port: number) =>
    checkControl({}, surroundings({ HEADGATE_URL: `http://127.0.0.1:${port}`, HEADGATE_TOKEN: ADMIN_TOKEN }), Date.now)
  expect(await look(server.port)).toEqual([
    {
      check: 'control plane',
      state: 'wrong',
      detail: `It answers at http://127.0.0.1:${server.port} with 503: The store does not answer.`,
      remedy: expect.stringMatching(/^Mend its database/),
    },
  ])
  const proxy = await listenLocally(createServer((_, response) => void response.writeHead(502).end('Bad gateway')))
  expect(await look(proxy)).toMatchObject([
    { state: 'wrong', detail: expect.stringMatching(/with 502: not a control plane/) },
  ])
})
