/** One active health check of one endpoint: a connection of its own, a GET, a status. */
import { request as requestHttp } from 'node:http'
import type { Socket } from 'node:net'
import type { HealthCheckSpec, UpstreamSpec } from '../../kernel/snapshot.ts'
import type { Endpoint } from './endpoint.ts'
import { openSocket } from './open-socket.ts'
import type { UpstreamTls } from './tls-options.ts'
import { nodeHttp2 } from '../http2/node-http2.ts'

/** What all probes of an upstream have in common. */
export interface ProbeSettings {
  readonly check: HealthCheckSpec
  readonly protocol: UpstreamSpec['protocol']
  /** Used for targets whose scheme is https. */
  readonly tls: UpstreamTls
  /** The credentials of the upstream: a target that wants them wants them for its health as well. */
  readonly headers: UpstreamSpec['headers']
}

/** Asks once. Undefined: the target is well; otherwise what is wrong with it, in words. Never rejects. */
export function probe(endpoint: Endpoint, settings: ProbeSettings): Promise<string | undefined> {
  const { check, protocol } = settings
  return new Promise((resolve) => {
    const tls = endpoint.scheme === 'https' ? settings.tls : undefined
    const socket = openSocket({ endpoint, tlsSession: undefined }, tls)
    const done = (fault: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(fault)
    }
    const timer = setTimeout(() => done(`no answer in ${check.timeoutMs} ms`), check.timeoutMs)
    const answered = (status: number): void => {
      done(check.statuses.includes(status) ? undefined : `answered ${status}`)
    }
    const failed = (cause: Error): void => done('code' in cause ? String(cause.code) : cause.message)
    socket.on('error', failed)
    socket.once('close', () => done('closed the connection'))
    const ask = protocol === 'http2' ? askHttp2 : askHttp1
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      try {
        ask(socket, endpoint, settings, answered, failed)
      } catch (cause) {
        // A path or field that Node refuses to write: the check can never succeed, and says so each time.
        done(String(cause))
      }
    })
  })
}

type Ask = (
  socket: Socket,
  endpoint: Endpoint,
  settings: ProbeSettings,
  answered: (status: number) => void,
  failed: (cause: Error) => void,
) => void

const USER_AGENT = 'headgate-health-check'

const askHttp1: Ask = (socket, endpoint, settings, answered, failed) => {
  const request = requestHttp({
    createConnection: () => socket,
    path: settings.check.path,
    headers: {
      host: endpoint.authority,
      'user-agent': USER_AGENT,
      connection: 'close',
      ...toHeaders(settings.headers),
    },
  })
  request.once('response', (response) => answered(response.statusCode ?? 0))
  request.on('error', failed)
  request.end()
}

const askHttp2: Ask = (socket, endpoint, settings, answered, failed) => {
  const authority = `${endpoint.scheme}://${endpoint.authority}`
  const session = nodeHttp2().connect(authority, { createConnection: () => socket, settings: { enablePush: false } })
  session.on('error', failed)
  const stream = session.request({
    ':path': settings.check.path,
    'user-agent': USER_AGENT,
    ...toHeaders(settings.headers),
  })
  stream.once('response', (headers) => answered(Number(headers[':status'] ?? 0)))
  stream.on('error', failed)
  stream.end()
}

function toHeaders(headers: UpstreamSpec['headers']): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
}
