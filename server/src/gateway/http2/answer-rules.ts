/** How the fields of answers are written (RFC 7541 §6.2): by their name alone, decided when the module is loaded. */
import { staticTable } from './hpack-static.ts'
import { toInteger, toText } from './hpack-text.ts'

/** Fields that HTTP/2 has no place for (RFC 9113 §8.2.2); the upstream's codec has taken most away already. */
const LEFT_OUT = 'connection keep-alive proxy-connection transfer-encoding upgrade sec-websocket-accept'.split(' ')

/** Seldom the same twice within a table's life, or worth something to whoever may guess at it. */
const SECRET = 'set-cookie authorization proxy-authorization www-authenticate cookie x-api-key'.split(' ')

const STABLE = `accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-methods
  access-control-allow-origin access-control-expose-headers access-control-max-age allow alt-svc cache-control
  content-disposition content-encoding content-language content-security-policy content-type
  cross-origin-opener-policy cross-origin-resource-policy grpc-accept-encoding grpc-encoding permissions-policy pragma
  proxy-status ratelimit-policy referrer-policy server strict-transport-security vary via x-content-type-options
  x-frame-options x-powered-by x-xss-protection`.split(/\s+/)

const STATUS_INDEX = 8

export interface NameRule {
  /** The name as the beginning of a literal that enters no table. */
  readonly plain: string
  /** The same of one that enters it; undefined when it must not. */
  readonly indexed: string | undefined
  readonly leftOut: boolean
}

export const RULES = new Map<string, NameRule>()
const STATUSES = new Map<number, string>()

function toRule(name: string): NameRule {
  const index = staticTable.findIndex((entry) => entry?.name === name)
  const start = (bits: number, flags: number): string =>
    index === -1 ? String.fromCharCode(flags) + toText(name) : toInteger(index, bits, flags)
  return {
    plain: SECRET.includes(name) ? start(4, 0x10) : start(4, 0),
    indexed: STABLE.includes(name) ? start(6, 0x40) : undefined,
    leftOut: LEFT_OUT.includes(name),
  }
}

for (const entry of staticTable) if (entry !== undefined) RULES.set(entry.name, toRule(entry.name))
for (const name of [...LEFT_OUT, ...SECRET, ...STABLE, 'x-request-id', 'server-timing']) RULES.set(name, toRule(name))
for (const [index, entry] of staticTable.entries()) {
  if (entry?.name === ':status') STATUSES.set(Number(entry.value), toInteger(index, 7, 0x80))
}

export function toStatus(status: number): string {
  return STATUSES.get(status) ?? toInteger(STATUS_INDEX, 4, 0) + toText(String(status))
}
