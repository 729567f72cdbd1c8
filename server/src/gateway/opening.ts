/** What happens on a connection before its first exchange: the PROXY header, and finding out what the client speaks. */
import type { Socket } from 'node:net'
import type { OnRead } from './http1/adopt.ts'
import { parseProxyHeader, type ProxyHeader } from './proxy-protocol.ts'

/** Start of HTTP/2 (RFC 9113 §3.4); no method of HTTP/1.1 begins like that. */
const PREFACE = Buffer.from('PRI ')

/**
 * Looks at the first bytes: those of HTTP/2 go to `http2`, all at once and from the start, and nothing more is told;
 * everything else goes to `http1` as it comes. The preface may come byte by byte.
 */
export function sniffProtocol(http1: OnRead, http2: (first: Buffer) => void): OnRead {
  let held: Buffer | undefined = Buffer.alloc(0)
  return (bytes, end, volatile) => {
    if (held === undefined) {
      http1(bytes, end, volatile)
      return
    }
    const first = held.length === 0 ? bytes.subarray(0, end) : Buffer.concat([held, bytes.subarray(0, end)])
    const compared = Math.min(first.length, PREFACE.length)
    if (first.compare(PREFACE, 0, compared, 0, compared) !== 0) {
      held = undefined
      http1(first, first.length, volatile)
    } else if (first.length < PREFACE.length) {
      held = Buffer.from(first)
    } else {
      http2(Buffer.from(first))
    }
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
