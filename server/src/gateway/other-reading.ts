/**
 * How another server may read a path that is in its one form here. Some cut path parameters (`;…`, RFC 3986 §3.3) off
 * before they look for what was asked, some decode a second time. Both is harmless unless it leads to another route:
 * then the policies of one would be asked, and the other would be served.
 */
import { normalisePath } from '../kernel/path.ts'

const PARAMETERS = /(?:;|%3B)[^/]*/g
const ENCODED_TWICE = /%25(?=[\dA-Fa-f]{2})/g

/** The other reading of a normalised path; undefined for nearly all, which have none. */
export function toOtherReading(path: string): string | undefined {
  if (!path.includes(';') && !path.includes('%')) return undefined
  const read = normalisePath(path.replace(ENCODED_TWICE, '%').replace(PARAMETERS, ''), 'keep')
  return typeof read === 'string' && read !== path ? read : undefined
}
