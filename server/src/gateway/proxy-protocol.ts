/**
 * The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): what a load balancer says about the client
 * before the client's own bytes. It is believed only from trusted networks and only where it is switched on; there it
 * is required, since anybody could leave it out.
 */
import { isIP, SocketAddress } from 'node:net'

export interface ProxyHeader {
  /** Length of the header; the client's bytes begin behind it. */
  readonly bytes: number
  /** Undefined when the balancer speaks for itself (LOCAL, UNKNOWN), e.g. a health check. */
  readonly source: { readonly ip: string; readonly port: number } | undefined
}

const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const V2_FIXED_BYTES = 16
/** Longest line of version 1 with its CRLF. */
const V1_MAX_BYTES = 107
/** More of version 2's extensions than any balancer sends. */
const V2_MAX_BYTES = 4_096
const V1_LINE =
  /^PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|TCP4 ([\d.]+) [\d.]+ (\d{1,5}) \d{1,5}|TCP6 ([\da-fA-F:.]+) [\da-fA-F:.]+ (\d{1,5}) \d{1,5})$/

/** Reads the header at the start of the bytes: `more` when it is not whole yet, `invalid` when it is none. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const compared = Math.min(bytes.length, V2_SIGNATURE.length)
  if (bytes.subarray(0, compared).equals(V2_SIGNATURE.subarray(0, compared))) {
    return bytes.length < V2_FIXED_BYTES ? 'more' : parseV2(bytes)
  }
  return parseV1(bytes)
}

function parseV1(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n')
  if (end === -1) {
    const begins = 'PROXY '.startsWith(bytes.toString('latin1', 0, Math.min(6, bytes.length)))
    return begins && bytes.length < V1_MAX_BYTES ? 'more' : 'invalid'
  }
  const match = V1_LINE.exec(bytes.toString('latin1', 0, end))
  if (match === null) return 'invalid'
  const ip = match[1] ?? match[3]
  const port = Number(match[2] ?? match[4])
  if (ip === undefined) return { bytes: end + 2, source: undefined }
  return isIP(ip) === 0 || port > 65_535 ? 'invalid' : { bytes: end + 2, source: { ip, port } }
}

function parseV2(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13) >> 4
  const length = bytes.readUInt16BE(14)
  if (command >> 4 !== 2 || (command & 15) > 1 || length > V2_MAX_BYTES) return 'invalid'
  const end = V2_FIXED_BYTES + length
  if (bytes.length < end) return 'more'
  if ((command & 15) === 0) return { bytes: end, source: undefined }
  const at = V2_FIXED_BYTES
  if (family === 1 && length >= 12) {
    return { bytes: end, source: { ip: [...bytes.subarray(at, at + 4)].join('.'), port: bytes.readUInt16BE(at + 8) } }
  }
  if (family === 2 && length >= 36) {
    const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16))
    return {
      bytes: end,
      source: {
        ip: toPlainAddress(new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address),
        port: bytes.readUInt16BE(at + 32),
      },
    }
  }
  return family === 0 ? { bytes: end, source: undefined } : 'invalid'
}

/** An IPv4 client on a socket for both versions has a mapped address (RFC 4291 §2.5.5.2); everything else wants the plain one. */
export function toPlainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
