/** Sets of IP networks: compiled to sorted ranges once, asked by binary search. */
import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

export interface Network {
  readonly version: 4 | 6
  readonly first: bigint
  readonly last: bigint
  /** The network as it is written properly, with no bits set behind the prefix. */
  readonly text: string
}

interface Address {
  readonly version: 4 | 6
  readonly value: bigint
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; the text must be valid. */
export function parseNetwork(text: string): Network {
  const [address, given] = text.includes('/') ? ipaddr.parseCIDR(text) : [ipaddr.parse(text), undefined]
  const { version, value } = toAddress(address.toByteArray())
  const bits = version === 4 ? 32 : 128
  // An IPv4 network written as a mapped IPv6 one (RFC 4291 §2.5.5.2) has 96 bits more.
  const length = given === undefined ? bits : given - (address.toByteArray().length * 8 - bits)
  const size = 1n << BigInt(bits - length)
  const first = (value / size) * size
  return { version, first, last: first + size - 1n, text: `${toText(first, version)}/${length}` }
}

export interface NetworkSet {
  /** Whether an address belongs; false for what is no address. */
  contains(ip: string): boolean
  /** Whether the whole network belongs. */
  covers(network: Network): boolean
  /** Whether any address of the network belongs. */
  touches(network: Network): boolean
}

/** Compiles the set; networks may overlap, and each version of IP is a set of its own. */
export function createNetworkSet(networks: readonly Network[]): NetworkSet {
  const merged = {
    4: merge(networks.filter(({ version }) => version === 4)),
    6: merge(networks.filter(({ version }) => version === 6)),
  }
  return {
    contains(ip) {
      const address = parseAddress(ip)
      return address !== undefined && findRange(merged[address.version], address.value) !== undefined
    },
    covers({ version, first, last }) {
      const range = findRange(merged[version], first)
      return range !== undefined && range.last >= last
    },
    touches({ version, first, last }) {
      return merged[version].some((range) => range.first <= last && range.last >= first)
    },
  }
}

interface Range {
  readonly first: bigint
  readonly last: bigint
}

function merge(networks: readonly Network[]): Range[] {
  const ranges: { first: bigint; last: bigint }[] = []
  for (const { first, last } of networks.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = ranges.at(-1)
    if (before === undefined || before.last + 1n < first) ranges.push({ first, last })
    else if (before.last < last) before.last = last
  }
  return ranges
}

function findRange(ranges: readonly Range[], value: bigint): Range | undefined {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const range = ranges[middle]
    if (range === undefined) return undefined
    if (value < range.first) high = middle - 1
    else if (value > range.last) low = middle + 1
    else return range
  }
  return undefined
}

/** Only the usual form of IPv4: others, such as `0x7f.1`, are read in different ways by different programs. */
function parseAddress(ip: string): Address | undefined {
  return isIPv4(ip) || isIPv6(ip) ? toAddress(ipaddr.parse(ip).toByteArray()) : undefined
}

/** A mapped IPv6 address is the IPv4 address in it, since that is how dual-stack sockets show IPv4 clients. */
function toAddress(bytes: readonly number[]): Address {
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  if (bytes.length === 4) return { version: 4, value }
  return value >> 32n === 0xffffn ? { version: 4, value: value & 0xffff_ffffn } : { version: 6, value }
}

function toText(value: bigint, version: 4 | 6): string {
  const bytes = Array.from({ length: version === 4 ? 4 : 16 }, (_, at) =>
    Number((value >> BigInt(8 * ((version === 4 ? 3 : 15) - at))) & 0xffn),
  )
  return ipaddr.fromByteArray(bytes).toString()
}
