/**
 * A whole installation as what is killed: the control process that answers the admin API, or the PostgreSQL under it.
 * A gateway beside it serves traffic all the while.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { verifyAudit } from '../../src/control/audit/verify-audit.ts'
import { openDatabase } from '../../src/db/client.ts'
import { findFreePorts } from '../ports.ts'
import { startPostgresServer } from '../postgres-server.ts'
import type { CrashHistory, CrashSubject, Random } from './crash-rounds.ts'
import { RoleProcess } from './role-process.ts'
import { SteadyTraffic } from './steady-traffic.ts'

export type ControlCrashKind = 'control-sqlite' | 'control-postgres' | 'control-postgres-server'

export const controlCrashKinds: readonly ControlCrashKind[] = [
  'control-sqlite',
  'control-postgres',
  'control-postgres-server',
]

export interface ControlSubject extends CrashSubject {
  /** Requests that the gateway answered so far. */
  readonly served: number
  stop(): Promise<void>
}

const adminToken = 'an-admin-token-of-the-crash-test'
const maxParts = 5

export async function createControlSubject(kind: ControlCrashKind): Promise<ControlSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-crash-'))
  const postgres = kind === 'control-sqlite' ? undefined : await startPostgresServer({ fsync: 'on' })
  const databaseUrl = postgres?.url('postgres')
  const [port = 0] = await findFreePorts(1)
  const url = `http://127.0.0.1:${port}`
  const data = join(folder, 'control')
  const backend = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  let control: RoleProcess | undefined
  let gateway: RoleProcess | undefined
  let traffic: SteadyTraffic | undefined

  const send = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }
  const openGateway = async (): Promise<void> => {
    await send('POST', '/workspaces/default/apply', { document: toApi(backend), source: 'api' })
    const { token } = await send('POST', '/gateways/join-tokens', {})
    const ports = ['--gateway-port', '0', '--metrics-port', '0', '--bind', '127.0.0.1', '--workers', '1']
    const own = ['--data-dir', join(folder, 'gateway'), '--node-key-file', join(folder, 'node.key')]
    gateway = new RoleProcess(['gateway', ...ports, ...own, '--control-url', url, '--node-token', String(token)])
    traffic = new SteadyTraffic(Number((await gateway.event('the gateway is ready'))['port']))
  }
  return {
    get served() {
      return traffic?.served ?? 0
    },
    async start() {
      if (control === undefined) {
        const store = databaseUrl === undefined ? [] : ['--database-url', databaseUrl]
        const own = ['--data-dir', data, '--admin-token', adminToken, '--control-port', String(port)]
        control = new RoleProcess(['control', ...own, ...store])
        await control.event('the control plane is ready')
      }
      await untilAnswered(() => send('POST', '/workspaces/default/apply?dryRun=true', { document: { headgate: 1 } }))
      if (gateway === undefined) await openGateway()
    },
    async change(id: number, random: Random) {
      const parts = 1 + Math.floor(random() * maxParts)
      await send('POST', '/workspaces/default/apply', { document: toChange(id, parts), source: `change-${id}` })
    },
    async kill() {
      if (kind === 'control-postgres-server') {
        await postgres?.kill()
        await postgres?.start()
      } else {
        await control?.kill()
        control = undefined
      }
    },
    async check(history) {
      const database = await openDatabase({ url: databaseUrl, folder: data, log: pino({ level: 'silent' }) })
      const names = await database.read.selectFrom('resources').select('name').where('kind', '=', 'consumer').execute()
      const keys = await database.read.selectFrom('credentials').select('name').execute()
      const lines = await database.read
        .selectFrom('snapshot_lines')
        .select('key')
        .where('key', 'like', 'consumers/%')
        .where('line', '<>', '')
        .execute()
      const audit = await verifyAudit(database.read)
      await database.close()
      const published = lines.map(({ key }) => ({ name: key.slice('consumers/'.length) }))
      return [
        ...findLosses('consumers', names, history),
        ...findLosses('keys', keys, history),
        ...findLosses('published consumers', published, history),
        ...(audit.whole ? [] : [`The audit is broken: ${audit.fault?.detail} at ${audit.fault?.seq}.`]),
        ...(traffic?.failures ?? []).map((failure) => `The gateway answered ${failure}; ${gateway?.lastWords}`),
      ]
    },
    async stop() {
      await traffic?.stop()
      await control?.kill()
      await gateway?.kill()
      await postgres?.stop()
      backend.closeAllConnections()
      backend.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function toApi(backend: Server): object {
  const address = backend.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const routes = [{ name: 'all', match: { path: '/*' } }]
  const targets = [{ url: `http://127.0.0.1:${port}` }]
  const apis = [{ name: 'steady', version: '1', upstream: 'steady', routes }]
  return { headgate: 1, upstreams: [{ name: 'steady', targets }], apis }
}

/** Consumers with a key each, in one document: all of them or none. */
function toChange(id: number, parts: number): object {
  const names = Array.from({ length: parts }, (_, part) => `change-${id}-${part}-of-${parts}`)
  return { headgate: 1, consumers: names.map((name) => ({ name, keys: [{ name, value: `key of ${name}` }] })) }
}

/** What is wrong with the parts that are there, by their names. */
function findLosses(
  what: string,
  rows: readonly { readonly name: string }[],
  { acknowledged, unknown }: CrashHistory,
): string[] {
  const parts = rows.flatMap(({ name }) => {
    const [, id, of] = /^change-(\d+)-\d+-of-(\d+)$/.exec(name) ?? []
    return id === undefined ? [] : [{ id: Number(id), of: Number(of) }]
  })
  const changes = Map.groupBy(parts, ({ id }) => id)
  const halves = [...changes].filter(([, found]) => found.length !== found[0]?.of)
  const lost = [...acknowledged].filter((id) => !changes.has(id))
  const invented = [...changes.keys()].filter((id) => !acknowledged.has(id) && !unknown.has(id))
  return [
    ...lost.map((id) => `Change ${id} was acknowledged and its ${what} are gone.`),
    ...halves.map(([id]) => `Change ${id} has some of its ${what}.`),
    ...invented.map((id) => `Change ${id} was never asked for and has ${what}.`),
  ]
}

/** A server that has just begun anew refuses for a moment. */
async function untilAnswered(send: () => Promise<unknown>): Promise<void> {
  const givesUpAt = performance.now() + 30_000
  for (;;) {
    try {
      await send()
      return
    } catch (error) {
      if (performance.now() > givesUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
