/** Which addresses belong to the public internet: others could be services that only this machine can reach. */
import ipaddr from 'ipaddr.js'

/** IPv6 prefixes under which an IPv4 address may be reached (RFC 6052, RFC 3056, RFC 4380) have ranges of their own there. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  return ipaddr.process(text).range() === 'unicast'
}
