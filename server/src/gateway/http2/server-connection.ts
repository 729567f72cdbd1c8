/** One client's HTTP/2 connection. */
import type { Socket } from 'node:net'
import type { Peer } from '../../kernel/exchange.ts'
import type { Gateway } from '../carrier.ts'

export class Http2Connection {
  private readonly socket: Socket
  constructor(socket: Socket, _gateway: Gateway, _peer: Peer, closed: () => void) {
    this.socket = socket
    socket.on('close', closed)
    socket.destroy()
  }
  tick(): void {}
  retire(): void {
    this.socket.destroy()
  }
  destroy(): void {
    this.socket.destroy()
  }
}
