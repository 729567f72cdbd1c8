/**
 * Accepts connections for one thread. All threads listen on the same port (`reusePort`) and the kernel spreads new
 * connections over them, so no listener is ever handed over and none is swapped by a reload.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Peer } from '../kernel/exchange.ts'
import type { Gateway } from './carrier.ts'
import { adoptSocket } from './http1/adopt.ts'
import { ServerConnection } from './http1/server-connection.ts'
import type { Ticker } from './ticker.ts'

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly gateway: Gateway
  readonly ticker: Ticker
}

export class Listener {
  readonly connections = new Set<ServerConnection>()
  private readonly server: Server
  private readonly options: ListenerOptions

  constructor(options: ListenerOptions) {
    this.options = options
    this.server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) =>
      this.accept(socket),
    )
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  listen(): Promise<void> {
    const { host, port } = this.options
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ host, port, reusePort: true, backlog: 4096 }, () => {
        this.server.off('error', reject)
        resolve()
      })
    })
  }

  /** Takes no more connections. Those that are there go on. */
  stop(): void {
    this.server.close()
  }

  /** Asks every connection to end after the exchange that it is in. */
  retire(): void {
    for (const connection of this.connections) connection.retire()
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy()
  }

  private accept(socket: Socket): void {
    const { gateway, ticker } = this.options
    if (this.connections.size >= gateway.limits.maxConnections) {
      socket.resetAndDestroy()
      return
    }
    const peer: Peer = {
      ip: toPlainAddress(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
      scheme: 'http',
      certificate: undefined,
    }
    adoptSocket(socket, (adopted) => {
      const connection = new ServerConnection(adopted, gateway, peer, (closed) => {
        this.connections.delete(closed)
        ticker.delete(closed)
      })
      this.connections.add(connection)
      ticker.add(connection)
      return (bytes, end, volatile) => connection.receive(bytes, end, volatile)
    })
  }
}

/** An IPv4 client on a socket for both versions has a mapped address (RFC 4291 §2.5.5.2); everything else wants the plain one. */
export function toPlainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
