/** From a parsed head to the exchange that policies see, whatever version of HTTP it came in. */
import { performance } from 'node:perf_hooks'
import type { BodySource } from '../kernel/body.ts'
import { Exchange, type ExchangeRequest, type Peer } from '../kernel/exchange.ts'
import { Fields } from '../kernel/fields.ts'
import { PREVIEW_FIELD } from '../kernel/snapshot.ts'
import type { Gateway } from './carrier.ts'
import { toForwardedPeer } from './client-address.ts'
import type { RequestHead } from './http1/head.ts'
import { claimPreview } from './preview.ts'

/** Makes the exchange of a request that came over a connection of `peer`. */
export function toExchange(
  head: RequestHead,
  version: '1.0' | '1.1' | '2',
  peer: Peer,
  gateway: Gateway,
  body: BodySource | undefined,
): Exchange {
  const { fields } = head
  const believed = gateway.trusted.any && gateway.trusted.has(peer.ip)
  const client = believed ? toForwardedPeer(fields, peer, gateway.trusted) : peer
  const id = (believed ? toRequestId(fields) : undefined) ?? gateway.nextId()
  const token = takeOwnFields(fields)
  const exchange = new Exchange(
    id,
    {
      method: head.method,
      path: head.path,
      query: head.query,
      host: head.host,
      authority: head.authority,
      version,
      fields,
      peer: client,
      upgrade: head.upgrade,
      acceptsTrailers: head.acceptsTrailers,
      body,
      bodyEndedMs: body === undefined || head.upgrade !== undefined ? 0 : Number.POSITIVE_INFINITY,
      content: undefined,
    },
    Date.now(),
    performance.now(),
  )
  if (token !== undefined) claimPreview(exchange, token)
  return exchange
}

/** What could not be read as a request leaves a record too: who sent it and when. */
export function toUnreadableExchange(id: string, peer: Peer, version: '1.1' | '2'): Exchange {
  const request: ExchangeRequest = {
    method: '',
    path: '',
    query: undefined,
    host: '',
    authority: '',
    version,
    fields: new Fields(),
    peer,
    upgrade: undefined,
    acceptsTrailers: false,
    body: undefined,
    bodyEndedMs: 0,
    content: undefined,
  }
  return new Exchange(id, request, Date.now(), performance.now())
}

/** A trusted proxy's request id is kept, so that one id runs through all logs. */
function toRequestId(fields: Fields): string | undefined {
  const id = fields.get('x-request-id')
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? id : undefined
}

/**
 * Takes away what a client claims about the way its request came: those fields are written anew from what the
 * connection knows, and a trusted proxy's claims are part of the peer by now. So is what is for us alone: the token of a
 * preview, which is returned.
 */
function takeOwnFields(fields: Fields): string | undefined {
  const { names } = fields
  let token: string | undefined
  for (let i = names.length - 1; i >= 0; i--) {
    const name = names[i]
    if (name === undefined || !isOwnField(name)) continue
    // Of a repeated one the first counts; whether its name comes up again depends on who else has the list.
    if (name === PREVIEW_FIELD) token ??= fields.get(name)
    fields.remove(name)
  }
  return token
}

function isOwnField(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first === 0x78 /* x */) {
    return name.startsWith('x-forwarded-') || name === 'x-real-ip' || name === 'x-request-id' || name === PREVIEW_FIELD
  }
  return (first === 0x66 /* f */ && name === 'forwarded') || (first === 0x76 /* v */ && name === 'via')
}
