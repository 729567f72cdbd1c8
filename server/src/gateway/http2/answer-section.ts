/** Fields of answers and trailers as `node:http2` takes them. */
import type { Fields } from '../../kernel/fields.ts'

/** Fields that HTTP/2 has no place for (RFC 9113 §8.2.2); the upstream's codec has taken most away already. */
const LEFT_OUT = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'sec-websocket-accept'])

/** A flat list of names and values, the status first. */
export function toAnswerSection(status: number, fields: Fields, bodyBytes: number | undefined): string[] {
  const section = [':status', String(status)]
  for (let i = 0; i < fields.names.length; i++) {
    const name = fields.names[i] ?? ''
    if (!LEFT_OUT.has(name)) section.push(name, fields.values[i] ?? '')
  }
  if (bodyBytes !== undefined) section.push('content-length', String(bodyBytes))
  return section
}

/** The same as an object, for interim answers and trailers, which take no list. */
export function toFieldRecord(fields: Fields | undefined): Record<string, string[]> {
  const record: Record<string, string[]> = Object.create(null)
  fields?.names.forEach((name, i) => {
    if (!LEFT_OUT.has(name)) (record[name] ??= []).push(fields.values[i] ?? '')
  })
  return record
}
