/**
 * Accepts connections for one thread, on one port, plain or TLS. All threads listen on the same port (`reusePort`) and
 * the kernel spreads new connections over them, so no listener is ever handed over and none is swapped by a reload.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Peer } from '../kernel/exchange.ts'
import type { Gateway } from './carrier.ts'
import { toPlainAddress } from './proxy-protocol.ts'
import { readSocket, type OnRead } from './http1/read-socket.ts'
import { ServerConnection } from './http1/server-connection.ts'
import { Http2Connection } from './http2/server-connection.ts'
import { readProxyHeader, sniffProtocol } from './opening.ts'
import { Roster, type RosterMember } from './roster.ts'
import type { Runtime } from './runtime.ts'
import type { Ticker, Tickable } from './ticker.ts'
import { toClientCertificate } from './tls.ts'

/** A client's connection, whatever it speaks. */
export interface Connection extends Tickable, RosterMember {
  /** Ends it as soon as no exchange is under way. */
  retire(): void
  destroy(): void
}

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly gateway: Gateway & { readonly runtime: Runtime }
  readonly ticker: Ticker
  /** Told of connections that broke the rules before there was an exchange: no TLS, no PROXY header. */
  rejected(reason: string, ip: string): void
}

export class Listener implements Tickable {
  readonly connections = new Roster<Connection>()
  private readonly server: Server
  private readonly options: ListenerOptions
  private opening = 0
  /** Sockets that are accepted have the options of the one that listens. */
  private passesOptionsOn = false

  constructor(options: ListenerOptions) {
    this.options = options
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.accept(socket))
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async listen(): Promise<void> {
    const { host } = this.options
    try {
      await this.listenOn(host)
    } catch (cause) {
      // All addresses are those of IPv4 where the system has no IPv6.
      if (host !== '::' || !isWithoutIpv6(cause)) throw cause
      await this.listenOn('0.0.0.0')
    }
  }

  private listenOn(host: string): Promise<void> {
    const { port } = this.options
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ host, port, reusePort: true, backlog: 4096 }, () => {
        this.server.off('error', reject)
        this.passesOptionsOn = setOptions(Reflect.get(this.server, '_handle'))
        resolve()
      })
    })
  }

  /** Takes no more connections. Those that are there go on. */
  stop(): void {
    this.server.close()
  }

  /** Asks every connection to end after the exchanges that it is in. */
  retire(): void {
    for (const connection of this.connections) connection.retire()
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy()
  }

  /** Passes the time on to the connections, as long as there are any. */
  tick(nowMs: number): void {
    for (const connection of this.connections) connection.tick(nowMs)
    if (this.connections.size === 0) this.options.ticker.delete(this)
  }

  private accept(socket: Socket): void {
    const { gateway, secure } = this.options
    if (this.connections.size + this.opening >= gateway.limits.maxConnections) {
      socket.resetAndDestroy()
      return
    }
    if (!this.passesOptionsOn) setOptions(socket)
    const { remoteAddress } = socket
    // A client that has reset its connection has no address any more, though what it sent can still be read: served as
    // nobody, it would pass every list of addresses that are denied.
    if (remoteAddress === undefined) {
      socket.destroy()
      return
    }
    const ip = toPlainAddress(remoteAddress)
    const peer: Peer = { ip, port: socket.remotePort ?? 0, scheme: secure ? 'https' : 'http', certificate: undefined }
    if (gateway.runtime.listener.proxyProtocol) void this.acceptProxied(socket, peer)
    else if (secure) void this.serveSecure(socket, peer)
    else this.servePlain(socket, peer)
  }

  private async acceptProxied(socket: Socket, peer: Peer): Promise<void> {
    const { gateway, secure } = this.options
    await this.whileOpening(socket, peer, async () => {
      if (!gateway.runtime.trusted.has(peer.ip)) throw new Error('the address is not one of trustedProxies')
      const source = await readProxyHeader(socket, gateway.limits.headMs)
      const client = source === undefined ? peer : { ...peer, ...source }
      if (secure) await this.serveSecure(socket, client)
      else this.servePlain(socket, client)
    })
  }

  private async serveSecure(raw: Socket, peer: Peer): Promise<void> {
    await this.whileOpening(raw, peer, async () => {
      const acceptor = this.options.gateway.runtime.tls
      if (acceptor === undefined) throw new Error('the configuration has no certificates any more')
      const socket = await acceptor.accept(raw)
      const client: Peer = { ...peer, certificate: toClientCertificate(socket) }
      const isHttp2 = socket.alpnProtocol === 'h2'
      readSocket(socket, isHttp2 ? this.openHttp2(socket, client) : this.open(socket, client).onRead)
    })
  }

  /** Without TLS, HTTP/2 is known by its first bytes (prior knowledge, RFC 9113 §3.3). */
  private servePlain(socket: Socket, peer: Peer): void {
    const { connection, onRead } = this.open(socket, peer)
    const openHttp2 = (): OnRead => {
      connection.handOver()
      return this.openHttp2(socket, peer)
    }
    readSocket(socket, sniffProtocol(onRead, openHttp2))
  }

  private openHttp2(socket: Socket, peer: Peer): OnRead {
    const connection = this.keep((closed) => new Http2Connection(socket, this.options.gateway, peer, closed))
    return (bytes, end, volatile) => connection.receive(bytes, end, volatile)
  }

  private open(socket: Socket, peer: Peer): { connection: ServerConnection; onRead: OnRead } {
    const connection = this.keep((closed) => new ServerConnection(socket, this.options.gateway, peer, closed))
    return { connection, onRead: (bytes, end, volatile) => connection.receive(bytes, end, volatile) }
  }

  private keep<Kept extends Connection>(create: (closed: () => void) => Kept): Kept {
    const connection = create(() => this.connections.delete(connection))
    this.connections.add(connection)
    this.options.ticker.add(this)
    return connection
  }

  /** Counts a connection that is not served yet, and drops it when it never will be. */
  private async whileOpening(socket: Socket, peer: Peer, open: () => Promise<void>): Promise<void> {
    this.opening++
    try {
      await open()
    } catch (cause) {
      this.options.rejected(cause instanceof Error ? cause.message : String(cause), peer.ip)
      socket.destroy()
    } finally {
      this.opening--
    }
  }
}

/**
 * What is small is sent at once, and clients that are gone are found. On Linux a socket that is accepted takes these options
 * over from the one that listens, which saves every connection two system calls. False where nothing takes them.
 */
function setOptions(socket: unknown): boolean {
  if (!takesOptions(socket)) return false
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 0)
  return process.platform === 'linux'
}

interface OptionTaker {
  setNoDelay(on: boolean): unknown
  setKeepAlive(on: boolean, delay: number): unknown
}

function takesOptions(socket: unknown): socket is OptionTaker {
  return typeof socket === 'object' && socket !== null && 'setNoDelay' in socket && 'setKeepAlive' in socket
}

function isWithoutIpv6(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && /^(?:EAFNOSUPPORT|EADDRNOTAVAIL)$/.test(String(cause.code))
}
