/** JSON in one form only (keys sorted, no spaces; RFC 8785), so that equal content has an equal hash. */
import { createHash } from 'node:crypto'

/** The canonical text of plain data; keys whose value is undefined are left out, as JSON does. */
export function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((each) => (each === undefined ? 'null' : toCanonicalJson(each))).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts: string[] = []
  for (const key of Object.keys(value).sort()) {
    const inner: unknown = Reflect.get(value, key)
    if (inner !== undefined) parts.push(`${JSON.stringify(key)}:${toCanonicalJson(inner)}`)
  }
  return `{${parts.join(',')}}`
}

/** SHA-256 in hex over the canonical text. */
export function toContentHash(value: unknown): string {
  return createHash('sha256').update(toCanonicalJson(value)).digest('hex')
}
