/** The client that carries requests to a target: HTTP/2 sessions where the upstream says so, else HTTP/1.1 connections. */
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import { Http1Client } from '../http1/client.ts'
import { Http2Client } from '../http2/client.ts'
import type { Ticker } from '../ticker.ts'
import type { UpstreamClient } from './client.ts'
import { openSocket } from './open-socket.ts'
import type { Target } from './target.ts'
import { toUpstreamTls } from './tls-options.ts'

export function createUpstreamClient(spec: UpstreamSpec, target: Target, ticker: Ticker): UpstreamClient {
  const tls = target.endpoint.scheme === 'https' ? toUpstreamTls(spec) : undefined
  const limits = {
    connectMs: spec.timeouts.connectMs,
    idleMs: spec.connections.idleMs,
    maxConnections: spec.connections.maxPerTarget,
    maxWaiting: spec.connections.maxWaiting,
  }
  if (spec.protocol === 'http2') return new Http2Client({ connect: () => openSocket(target, tls), ...limits }, ticker)
  const readyEvent = tls === undefined ? 'connect' : 'secureConnect'
  return new Http1Client({ connect: (onRead) => openSocket(target, tls, onRead), readyEvent, ...limits }, ticker)
}
