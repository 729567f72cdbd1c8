/** A whole installation as operators run it: control processes on one store, and gateways that joined them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { findFreePorts } from '../ports.ts'
import { isJsonObject, type JsonObject } from '../../src/kernel/json.ts'
import { GatewayChild, startBackend } from './gateway-child.ts'

const adminToken = 'an-admin-token-of-the-tests'

export interface PlaneGateway {
  readonly port: number
  readonly process: GatewayChild
  /** A process on the same data, once the one before has ended. */
  restart(): Promise<PlaneGateway>
}

export interface Plane {
  /** Where each control process listens. */
  readonly urls: readonly string[]
  /** The control process at this place; one that was ended begins again with `startControl`. */
  control(at?: number): GatewayChild
  startControl(at?: number): Promise<void>
  /** Calls the admin API below `/api/v1`. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Called>
  /** As `call`, for what must succeed; its body. */
  done(method: string, path: string, body?: unknown): Promise<JsonObject>
  addGateway(flags?: readonly string[]): Promise<PlaneGateway>
  /** An upstream, an API `books` on it at every path, and whatever else a document holds, live. */
  publish(document: { readonly policies?: readonly object[]; readonly [key: string]: unknown }): Promise<void>
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly at?: number
}

export interface Called {
  readonly status: number
  readonly body: JsonObject
  readonly etag: string
}

export interface PlaneOptions {
  readonly controls?: number
  /** PostgreSQL; without it the embedded store, which one control process has for itself. */
  readonly databaseUrl?: string | undefined
}

export async function startPlane({ controls = 1, databaseUrl }: PlaneOptions = {}): Promise<Plane> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-plane-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const ports = await findFreePorts(controls)
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const running: GatewayChild[] = []
  let gateways = 0
  const startControl = async (at = 0): Promise<void> => {
    const store = databaseUrl === undefined ? [] : ['--database-url', databaseUrl]
    const own = ['--data-dir', join(folder, 'control'), '--admin-token', adminToken, '--control-port', `${ports[at]}`]
    const child = new GatewayChild({ command: ['control', ...own, ...store] })
    running[at] = child
    await child.event('the control plane is ready')
  }
  const call: Plane['call'] = async (method, path, body, { headers = {}, at = 0 } = {}) => {
    const response = await fetch(`${urls[at]}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const value: unknown = text === '' ? {} : JSON.parse(text)
    if (!isJsonObject(value)) throw new TypeError('the admin API answers with objects')
    return { status: response.status, body: value, etag: response.headers.get('etag') ?? '' }
  }
  const done: Plane['done'] = async (method, path, body) => {
    const answer = await call(method, path, body, { headers: { 'if-match': '*' } })
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }
  // One after the other: the first of them makes the keys that all have.
  for (let at = 0; at < controls; at++) await startControl(at)
  return {
    urls,
    control: (at = 0) => running[at] ?? fail('there is no such control process'),
    startControl,
    call,
    done,
    async publish({ policies = [], ...more }) {
      const url = await startBackend()
      const routes = [{ name: 'all', match: { path: '/*' } }]
      const api = { name: 'books', version: '1', upstream: 'shop', policies, routes }
      const document = { headgate: 1, upstreams: [{ name: 'shop', targets: [{ url }] }], apis: [api], ...more }
      await done('POST', '/workspaces/default/apply', { document })
    },
    async addGateway(flags = []) {
      const { token } = await done('POST', '/gateways/join-tokens', {})
      if (typeof token !== 'string') throw new TypeError('a join token is a text')
      const data = join(folder, `gateway-${++gateways}`)
      const ports0 = ['--gateway-port', '0', '--gateway-tls-port', '0', '--metrics-port', '0', '--bind', '127.0.0.1']
      const own = ['--data-dir', data, '--node-key-file', join(data, '../node.key'), '--workers', '1']
      const way = ['--control-url', urls.join(','), '--node-token', token]
      const start = async (): Promise<PlaneGateway> => {
        const child = new GatewayChild({ command: ['gateway', ...ports0, ...own, ...way, ...flags] })
        const { port } = await child.event('the gateway is ready')
        return { port: Number(port), process: child, restart: start }
      }
      return start()
    },
  }
}

function fail(reason: string): never {
  throw new Error(reason)
}
