import { isIPv6 } from 'node:net'

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which is the least that a site gets (RFC 6177),
 * so that nobody has 2^64 counters to himself. An IPv4 address in IPv6 form (RFC 4291 §2.5.5.2) is the IPv4 address.
 */
export function toClientNetwork(ip: string): string {
  const [address = ''] = ip.split('%')
  if (!isIPv6(address)) return ip
  const groups = toGroups(address)
  const [a = 0, b = 0] = groups.slice(6)
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  if (isMapped) return [a >> 8, a & 255, b >> 8, b & 255].join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an address in any of its spellings (RFC 4291 §2.2). */
function toGroups(address: string): number[] {
  const [left = '', right = ''] = address.split('::').map(toPart)
  const [first, last] = [left, right].map((part) => (part === '' ? [] : part.split(':')))
  const zeros = Array.from({ length: 8 - (first?.length ?? 0) - (last?.length ?? 0) }, () => '0')
  return [...(first ?? []), ...zeros, ...(last ?? [])].map((group) => parseInt(group, 16))
}

/** The last two groups may be written as an IPv4 address. */
function toPart(part: string): string {
  return part.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
}
