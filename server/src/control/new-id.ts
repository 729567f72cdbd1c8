/** Ids of things: a word for the kind, and a UUID of version 7 (RFC 9562 §5.7), so that they sort by time. */
import { randomBytes } from 'node:crypto'

/** `api_0192f0c1e4b87c1d9a3b5c7d9e1f2a3b`: 48 bits of milliseconds, then random ones. */
export function newId(prefix: string, nowMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return `${prefix}_${bytes.toString('hex')}`
}
