/**
 * The address of who calls the admin API. Behind a proxy that is the last one in `X-Forwarded-For` that no trusted proxy
 * put there; what stands before it, its sender may have made up.
 */
import { BlockList, isIP } from 'node:net'

export interface TrustedProxies {
  isTrusted(address: string): boolean
}

/** Addresses and networks, by commas; throws a sentence about the one that is none. */
export function parseTrustedProxies(text: string): TrustedProxies {
  const list = new BlockList()
  for (const each of text.split(',').map((part) => part.trim())) {
    if (each === '') continue
    const [address = '', bits] = each.split('/')
    const family = toFamily(address)
    const most = family === 'ipv4' ? 32 : 128
    const prefix = bits === undefined ? most : Number(bits)
    if (isIP(address) === 0 || !/^\d{0,3}$/.test(bits ?? '') || prefix > most) {
      throw new TypeError(`${JSON.stringify(each)} is no address and no network such as 10.0.0.0/8`)
    }
    list.addSubnet(address, prefix, family)
  }
  return { isTrusted: (address) => isIP(address) !== 0 && list.check(address, toFamily(address)) }
}

export function toCallerAddress(peer: string, forwarded: string | undefined, proxies: TrustedProxies): string {
  let address = toPlain(peer)
  const hops = (forwarded ?? '').split(',').map((hop) => toPlain(hop.trim()))
  while (proxies.isTrusted(address)) {
    const hop = hops.pop()
    if (hop === undefined || isIP(hop) === 0) break
    address = hop
  }
  return address
}

/** An IPv4 address that came in by an IPv6 socket is one. */
function toPlain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}

function toFamily(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
