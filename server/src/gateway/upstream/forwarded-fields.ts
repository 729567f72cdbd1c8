/** What the gateway tells a target about the way of a request: names that no client's field has, and no policy's. */
import type { ExchangeRequest } from '../../kernel/exchange.ts'

/** The parts of an exchange that are told. */
export interface ForwardedExchange {
  readonly id: string
  readonly request: Pick<ExchangeRequest, 'peer' | 'authority' | 'version'>
}

/** RFC 9110 §7.6.3: the protocol version that the message came in, and who passes it on. */
const VIA = { '1.0': '1.0 headgate', '1.1': '1.1 headgate', '2': '2 headgate' }

/** The fields as a flat list of names and values. */
export function toForwardedFields({ id, request }: ForwardedExchange): string[] {
  const { peer, authority, version } = request
  const client = ['x-forwarded-for', peer.ip, 'x-forwarded-proto', peer.scheme, 'x-forwarded-host', authority]
  return [...client, 'x-request-id', id, 'via', VIA[version]]
}

const PROTO_AND_HOST = {
  http: '\r\nx-forwarded-proto: http\r\nx-forwarded-host: ',
  https: '\r\nx-forwarded-proto: https\r\nx-forwarded-host: ',
}
const VIA_LINE = {
  '1.0': `\r\nvia: ${VIA['1.0']}\r\n`,
  '1.1': `\r\nvia: ${VIA['1.1']}\r\n`,
  '2': `\r\nvia: ${VIA['2']}\r\n`,
}

/** The same fields as lines of HTTP/1.1; every request gets them, so they are put together from few pieces. */
export function toForwardedLines({ id, request }: ForwardedExchange): string {
  const { peer, authority, version } = request
  const client = 'x-forwarded-for: ' + peer.ip + PROTO_AND_HOST[peer.scheme] + authority
  return client + '\r\nx-request-id: ' + id + VIA_LINE[version]
}
