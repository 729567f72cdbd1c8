/** Tokens that Headgate makes: random, with a prefix that tells what they are and a checksum that tells a typo. */
import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `hg_admin_…`, `hg_node_…`: 240 random bits and a checksum in base64url. Only its hash is kept. */
export function createSecretToken(kind: string): string {
  const body = `hg_${kind}_${randomBytes(30).toString('base64url')}`
  return body + toChecksum(body)
}

/** Whether a text has the form of a token of ours, before anybody looks for it. */
export function isSecretToken(text: string): boolean {
  return /^hg_[a-z]+_[A-Za-z0-9_-]{46}$/.test(text) && toChecksum(text.slice(0, -6)) === text.slice(-6)
}

export function hashToken(token: string): string {
  return hash('sha256', token)
}

function toChecksum(body: string): string {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return sum.toString('base64url')
}
