/** From a parsed head to the exchange that policies see. */
import { Exchange, type Peer } from '../../kernel/exchange.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { IncomingBody } from './incoming-body.ts'
import type { RequestHead } from './parse.ts'

/** Makes the exchange of a request; `id` becomes its `x-request-id`. */
export function toExchange(head: RequestHead, peer: Peer, id: string, body: IncomingBody | undefined): Exchange {
  dropForwarded(head.fields)
  return new Exchange(
    id,
    {
      method: head.method,
      path: head.path,
      query: head.query,
      host: head.host,
      authority: head.authority,
      version: head.version,
      fields: head.fields,
      peer,
      upgrade: head.upgrade,
      acceptsTrailers: head.acceptsTrailers,
      body,
      bodyEndedMs: body === undefined || head.upgrade !== undefined ? 0 : Number.POSITIVE_INFINITY,
      content: undefined,
    },
    Date.now(),
    performance.now(),
  )
}

/**
 * Takes away what a client claims about the way its request came: those fields are written anew from what the
 * connection knows, and a trusted proxy's claims are already part of the peer.
 */
export function dropForwarded(fields: Fields): void {
  const { names } = fields
  for (let i = names.length - 1; i >= 0; i--) {
    const name = names[i]
    if (name !== undefined && isForwardedField(name)) fields.remove(name)
  }
}

function isForwardedField(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first === 0x78 /* x */) return name.startsWith('x-forwarded-') || name === 'x-real-ip' || name === 'x-request-id'
  return (first === 0x66 /* f */ && name === 'forwarded') || (first === 0x76 /* v */ && name === 'via')
}
