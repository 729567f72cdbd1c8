/**
 * Field names, interned: a name on the wire becomes one of a fixed set of lower-case strings without allocating.
 *
 * A table of the names in common use, found by a hash over the lower-case bytes that the parser computes as it
 * checks them, and a small direct-mapped cache for all others. Names that an attacker invents push each other out
 * of the cache and cost one string each; nothing grows.
 */

/** What the parser does with a field besides keeping it. */
export const ROLE_ORDINARY = 0
/** Belongs to the connection (RFC 9110 §7.6.1): never passed on. */
const ROLE_HOP_BY_HOP = 1
export const ROLE_HOST = 2
export const ROLE_CONNECTION = 3
export const ROLE_CONTENT_LENGTH = 4
export const ROLE_TRANSFER_ENCODING = 5
export const ROLE_TE = 6
export const ROLE_UPGRADE = 7
export const ROLE_EXPECT = 8
export const ROLE_PROXY_CONNECTION = 9
/** Reads like a field about framing or trust to a server that takes `_` for `-`: never accepted. */
export const ROLE_DISGUISED = 10
/** From here on the field is passed on, too. */
export const ROLE_WEBSOCKET_KEY = 11
export const ROLE_WEBSOCKET_VERSION = 12
/** From here on a request has the field once at most: one role for each, the difference is its bit in a mask. */
export const ROLE_SINGLE = 13

const special: Record<string, number> = {
  'keep-alive': ROLE_HOP_BY_HOP,
  'proxy-connection': ROLE_PROXY_CONNECTION,
  'proxy-authenticate': ROLE_HOP_BY_HOP,
  'proxy-authorization': ROLE_HOP_BY_HOP,
  'http2-settings': ROLE_HOP_BY_HOP,
  host: ROLE_HOST,
  connection: ROLE_CONNECTION,
  'content-length': ROLE_CONTENT_LENGTH,
  'transfer-encoding': ROLE_TRANSFER_ENCODING,
  te: ROLE_TE,
  upgrade: ROLE_UPGRADE,
  expect: ROLE_EXPECT,
  'sec-websocket-key': ROLE_WEBSOCKET_KEY,
  'sec-websocket-version': ROLE_WEBSOCKET_VERSION,
}

/** Two of these in one request are read by some servers as the first and by others as the last. */
const single = 'authorization content-range content-type if-range max-forwards origin range x-api-key'.split(' ')
for (const [i, name] of single.entries()) special[name] = ROLE_SINGLE + i

/** Fields meant for every recipient: a sender must not nominate them in Connection (RFC 9110 §7.6.1). */
const endToEnd = `accept accept-charset accept-encoding accept-language accept-ranges age allow alt-svc authorization
  access-control-allow-credentials access-control-allow-headers access-control-allow-methods
  access-control-allow-origin access-control-expose-headers access-control-max-age access-control-request-headers
  access-control-request-method api-key baggage cache-control cdn-loop content-disposition content-encoding
  content-language content-location content-md5 content-range content-security-policy content-type cookie date
  deprecation digest dnt early-data etag expires forwarded from idempotency-key if-match if-modified-since if-none-match
  if-range if-unmodified-since last-event-id last-modified link location max-forwards mcp-protocol-version
  mcp-session-id origin permissions-policy pragma prefer priority range ratelimit ratelimit-policy referer
  referrer-policy retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode
  sec-fetch-site sec-fetch-user sec-gpc sec-websocket-accept sec-websocket-extensions sec-websocket-protocol server
  server-timing set-cookie signature signature-input strict-transport-security sunset timing-allow-origin traceparent
  tracestate trailer upgrade-insecure-requests user-agent vary via www-authenticate x-api-key
  x-amz-date x-correlation-id x-content-type-options x-forwarded-for x-forwarded-host x-forwarded-port
  x-forwarded-prefix x-forwarded-proto x-frame-options x-powered-by x-real-ip x-request-id x-requested-with
  x-xss-protection grpc-encoding grpc-accept-encoding grpc-timeout grpc-status grpc-message`

/** Trailers that would change how the message was framed, routed or trusted (RFC 9110 §6.5.1): dropped. */
const notInTrailers = new Set(
  `authorization cache-control content-disposition content-encoding content-location content-range content-type cookie
  forwarded if-match if-modified-since if-none-match if-range if-unmodified-since max-forwards pragma range set-cookie
  trailer via x-api-key x-real-ip x-request-id`.split(/\s+/),
)

const knownSlots = 1024
const learntSlots = 256
const slots = knownSlots + learntSlots + 1
/** The one slot for a name that is too long to learn; it holds until the next such name. */
const lastSlot = slots - 1
const rowBytes = 64

/** Name and role at each slot; the slots of `findName` point into both. */
export const nameAt: string[] = new Array<string>(slots).fill('')
export const roleAt = new Uint8Array(slots)
/** The bytes of each name in a row of its own, one cache line, and how many they are. */
const rows = new Uint8Array(slots * rowBytes)
const lengths = new Uint8Array(slots)

function keepName(slot: number, name: string, role: number): void {
  nameAt[slot] = name
  roleAt[slot] = role
  if (name.length > rowBytes) return
  lengths[slot] = name.length
  for (let i = 0; i < name.length; i++) rows[slot * rowBytes + i] = name.charCodeAt(i)
}

/** The slot where a name with this hash is looked for first. */
function toSlot(hash: number, count: number): number {
  return (hash ^ (hash >>> 15)) & (count - 1)
}

/** The hash that the parser computes while it checks a name's characters. */
function hashName(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return hash
}

for (const name of new Set([...Object.keys(special), ...endToEnd.split(/\s+/)])) {
  let slot = toSlot(hashName(name), knownSlots)
  while (lengths[slot] !== 0) slot = (slot + 1) & (knownSlots - 1)
  keepName(slot, name, special[name] ?? ROLE_ORDINARY)
}

function isNameAt(slot: number, bytes: Uint8Array, from: number, length: number): boolean {
  if (lengths[slot] !== length) return false
  const row = slot * rowBytes
  for (let i = 0; i < length; i++) {
    if (bytes[from + i] !== rows[row + i]) return false
  }
  return true
}

/** The slot of the lower-case name in bytes[from, to), whose `hash` the caller has: `nameAt` and `roleAt` tell the rest. */
export function findName(bytes: Buffer, from: number, to: number, hash: number): number {
  let slot = toSlot(hash, knownSlots)
  while (lengths[slot] !== 0) {
    if (isNameAt(slot, bytes, from, to - from)) return slot
    slot = (slot + 1) & (knownSlots - 1)
  }
  slot = knownSlots + toSlot(hash, learntSlots)
  return isNameAt(slot, bytes, from, to - from) ? slot : learnName(bytes.toString('latin1', from, to), slot)
}

/** The name must be a text of its own: a slice would keep the whole head alive for as long as it is learnt. */
function learnName(name: string, slot: number): number {
  const role = name.includes('_') && isDisguised(name) ? ROLE_DISGUISED : ROLE_ORDINARY
  const place = name.length > rowBytes ? lastSlot : slot
  keepName(place, name, role)
  return place
}

/** CGI and its heirs turn both `-` and `_` into `_`, so `Content_Length` and `X_Forwarded_For` would be believed. */
function isDisguised(name: string): boolean {
  const plain = name.replaceAll('_', '-')
  const role = special[plain] ?? ROLE_ORDINARY
  return (role !== ROLE_ORDINARY && role < ROLE_SINGLE) || /^x-(forwarded-|real-ip$|request-id$)/.test(plain)
}

const hopByHopRoles = new Set([ROLE_HOP_BY_HOP, ROLE_TRANSFER_ENCODING, ROLE_TE, ROLE_UPGRADE, ROLE_PROXY_CONNECTION])

/** Whether a sender may nominate the field in Connection: unknown names and those of the connection itself. */
export function isNominable(name: string): boolean {
  const slot = findName(Buffer.from(name, 'latin1'), 0, name.length, hashName(name))
  if (slot >= knownSlots) return true
  return hopByHopRoles.has(roleAt[slot] ?? ROLE_ORDINARY)
}

/** Whether a trailer of this name may be passed on. */
export function isTrailerAllowed(name: string): boolean {
  return !notInTrailers.has(name) && !name.startsWith('x-forwarded-')
}
