/** Which addresses belong to the public internet: others could be services that only this machine can reach. */
import ipaddr from 'ipaddr.js'

const GIVEN_OUT = ipaddr.IPv6.parse('2000::')

/** IPv6 prefixes under which an IPv4 address may be reached (RFC 6052, RFC 3056, RFC 4380) have ranges of their own there. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  // Of IPv6, only this block is given out (RFC 4291 §2.4, IANA); below it, `::7f00:1` was once a form of 127.0.0.1.
  const isGiven = address instanceof ipaddr.IPv4 || address.match(GIVEN_OUT, 3)
  return isGiven && address.range() === 'unicast'
}
