/** Loaded before the program: the machine has no IPv6, so that nothing listens on its addresses. */
import { Server } from 'node:net'

const listen: unknown = Reflect.get(Server.prototype, 'listen')

function listenWithoutIpv6(this: Server, ...given: unknown[]): Server {
  const [options] = given
  if (typeof options !== 'object' || options === null || !('host' in options) || options.host !== '::') {
    if (typeof listen === 'function') Reflect.apply(listen, this, given)
    return this
  }
  const refusal = Object.assign(new Error('listen EAFNOSUPPORT'), { code: 'EAFNOSUPPORT', syscall: 'listen' })
  process.nextTick(() => this.emit('error', refusal))
  return this
}

Reflect.set(Server.prototype, 'listen', listenWithoutIpv6)
