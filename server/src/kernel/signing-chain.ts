/**
 * How trust in the key that signs snapshots goes on when it is rotated: each key endorses the next one, so whoever
 * trusts one of them finds the way to the newest, and nobody else can put a key into the row.
 */
import { verify } from 'node:crypto'

/** A key that came after another one. */
export interface Signer {
  /** PEM of the Ed25519 key. */
  readonly publicKey: string
  /** Base64 of the signature that the key before it made under `toEndorsementText`. */
  readonly endorsement: string
}

export function toEndorsementText(publicKey: string): string {
  return `headgate signing key\n${publicKey}`
}

/** The key that made the signature: the trusted one, or one that it leads to; undefined when it is none of them. */
export function findSigner(
  trusted: string,
  chain: readonly Signer[],
  text: string,
  signature: string,
): string | undefined {
  let key = trusted
  if (isSignedBy(key, text, signature)) return key
  for (const { publicKey, endorsement } of chain) {
    // What came before the trusted key is not endorsed by it, and passed over.
    if (!isSignedBy(key, toEndorsementText(publicKey), endorsement)) continue
    key = publicKey
    if (isSignedBy(key, text, signature)) return key
  }
  return undefined
}

export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'))
}
