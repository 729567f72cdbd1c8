/** A control plane for one test: the real application on a real store; only the network in front of it is left out. */
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import type { Hono } from 'hono'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { systemClock, type Clock } from '../src/kernel/clock.ts'
import { isJsonObject, type JsonObject } from '../src/kernel/json.ts'
import { parseTrustedProxies } from '../src/control/caller-address.ts'
import { bootstrap } from '../src/control/bootstrap.ts'
import type { Control } from '../src/control/control.ts'
import { openKeyRing } from '../src/control/keys/key-ring.ts'
import { newId } from '../src/control/new-id.ts'
import { routes } from '../src/control/routes.ts'
import { FailedSignIns } from '../src/control/sessions/failed-sign-ins.ts'
import { createControlApp } from '../src/control/server.ts'
import { SnapshotFeed } from '../src/control/snapshots/snapshot-feed.ts'
import { hashToken } from '../src/control/tokens/secret-token.ts'
import type { Database } from '../src/db/client.ts'
import { policies } from '../src/policies/index.ts'
import { testDatabase } from './database.ts'

/** What the server knows of a connection. */
const caller = { incoming: { socket: { remoteAddress: '127.0.0.1', remotePort: 1, remoteFamily: 'IPv4' } } }

export const ADMIN_TOKEN = 'an-admin-token-of-the-tests'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  /** The body; an empty object when there is none. */
  readonly body: JsonObject
}

interface CallOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Default: the bootstrap token, which may do everything; empty: nobody. */
  readonly token?: string
}

export interface TestControl {
  readonly control: Control
  readonly app: Hono
  readonly database: Database
  /** `path` stands below `/api/v1`. */
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answered>
  /** As `call`, for what must succeed; its body. */
  readonly done: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<JsonObject>
}

export async function testControl(
  given: {
    readonly database?: Database
    readonly clock?: Clock
    readonly publicUrl?: string
    readonly allowPrivateAddresses?: boolean
    readonly mostKeptBytes?: number
  } = {},
): Promise<TestControl> {
  const database = given.database ?? (await testDatabase())
  const clock = given.clock ?? systemClock
  const log = pino({ level: 'silent' })
  await bootstrap(database, clock, policies, 'production')
  const keys = await openKeyRing(database, randomBytes(32), clock)
  const feed = new SnapshotFeed(database, log, (text) => keys.sign(text))
  await feed.start()
  onTestFinished(() => feed.close())
  const control: Control = {
    version: '0.0.0',
    database,
    clock,
    log,
    keys,
    failures: new FailedSignIns({ database, clock }),
    feed,
    policies,
    documents: {
      allowPrivateAddresses: given.allowPrivateAddresses ?? false,
      hosts: [],
      cacheFolder: tmpdir(),
      mostKeptBytes: given.mostKeptBytes ?? Infinity,
    },
    bootstrapHash: hashToken(ADMIN_TOKEN),
    publicUrl: given.publicUrl,
    trustedProxies: parseTrustedProxies(''),
    allowPrivateAddresses: given.allowPrivateAddresses ?? false,
    newId: (prefix) => newId(prefix, clock.now()),
  }
  const app = createControlApp(control, routes)
  const call: TestControl['call'] = async (method, path, { body, headers, token = ADMIN_TOKEN } = {}) => {
    const fields = new Headers({ ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers })
    if (body !== undefined) fields.set('content-type', 'application/json')
    const text = body === undefined ? null : JSON.stringify(body)
    const init = { method, headers: fields, body: text }
    const response = await app.request(`http://control.test/api/v1${path}`, init, caller)
    const answer = await response.text()
    const value: unknown = answer === '' ? {} : JSON.parse(answer)
    if (!isJsonObject(value)) throw new TypeError('the admin API answers with objects')
    return { status: response.status, headers: response.headers, body: value }
  }
  return {
    control,
    app,
    database,
    call,
    async done(method, path, body, headers = {}) {
      const answer = await call(method, path, { body, headers })
      if (answer.status < 300) return answer.body
      throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    },
  }
}
