/** What happens on a connection before its first exchange: the PROXY header, and finding out what the client speaks. */
import type { Socket } from 'node:net'
import type { OnRead } from './http1/read-socket.ts'
import { parseProxyHeader, type ProxyHeader } from './proxy-protocol.ts'

/** Start of HTTP/2 (RFC 9113 §3.4); no method of HTTP/1.1 begins like that. */
const PREFACE = Buffer.from('PRI ')

/**
 * Looks at the first bytes: everything goes to `http1` as it comes, or, from the first byte on, to the reader that
 * `http2` gives. The preface may come byte by byte.
 */
export function sniffProtocol(http1: OnRead, http2: () => OnRead): OnRead {
  let held: Buffer | undefined
  let reader: OnRead | undefined
  return (bytes, end, volatile) => {
    if (reader !== undefined) {
      reader(bytes, end, volatile)
      return
    }
    const first = held === undefined ? bytes : Buffer.concat([held, bytes.subarray(0, end)])
    const length = held === undefined ? end : first.length
    const compared = Math.min(length, PREFACE.length)
    const isSame = first[0] === PREFACE[0] && first.compare(PREFACE, 0, compared, 0, compared) === 0
    if (isSame && length < PREFACE.length) {
      held = Buffer.from(first.subarray(0, length))
      return
    }
    reader = isSame ? http2() : http1
    reader(first, length, volatile)
  }
}

/**
 * Reads the PROXY header that a balancer sends first and gives back what follows it. Leaves the socket paused. Rejects
 * what is no such header, and a client that takes too long or leaves.
 */
export function readProxyHeader(socket: Socket, timeoutMs: number): Promise<ProxyHeader['source']> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0)
    const done = (outcome: ProxyHeader | Error): void => {
      clearTimeout(timer)
      socket.off('data', onData).off('end', onEnd).off('error', done)
      socket.pause()
      if (outcome instanceof Error) {
        reject(outcome)
        return
      }
      if (held.length > outcome.bytes) socket.unshift(held.subarray(outcome.bytes))
      resolve(outcome.source)
    }
    const timer = setTimeout(() => done(new Error('the PROXY header did not come in time')), timeoutMs)
    const onEnd = (): void => done(new Error('the connection ended within the PROXY header'))
    const onData = (bytes: Buffer): void => {
      held = Buffer.concat([held, bytes])
      const header = parseProxyHeader(held)
      if (header === 'invalid') done(new Error('the connection does not begin with a PROXY header'))
      else if (header !== 'more') done(header)
    }
    socket.on('data', onData).on('end', onEnd).on('error', done)
    socket.resume()
  })
}
