/**
 * Trying a revision that stands beside another before anybody else gets it: a request carries the token of the
 * deployment. The token leads to that revision and goes no further.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../kernel/exchange.ts'

/** No token is longer. */
const MAX_TOKEN_CHARS = 100

/** What a request says, and whether it was so. */
class PreviewClaim {
  isRight = false
  private readonly digest: Buffer | undefined

  constructor(token: string) {
    this.digest = token.length > MAX_TOKEN_CHARS ? undefined : hash('sha256', token, 'buffer')
  }

  /** Both are hashes, so how long the comparison takes tells nothing of the token; it is of one length in any case. */
  opens(expected: Buffer): boolean {
    if (this.digest?.length !== expected.length || !timingSafeEqual(this.digest, expected)) return false
    this.isRight = true
    return true
  }
}

const CLAIM = {}

/** Keeps the token that was taken out of the fields. Whatever is answered is for its sender alone. */
export function claimPreview(exchange: Exchange, token: string): void {
  exchange.remember(CLAIM, new PreviewClaim(token))
  exchange.addReplyField('cache-control', 'private, no-store')
}

/** Whether the request carries the token of this hash. */
export function opensPreview(exchange: Exchange, tokenHash: Buffer): boolean {
  const claim = exchange.recall(CLAIM)
  return claim instanceof PreviewClaim && claim.opens(tokenHash)
}

/** Whether the request got the revision because of its token. */
export function isPreview(exchange: Exchange): boolean {
  const claim = exchange.recall(CLAIM)
  return claim instanceof PreviewClaim && claim.isRight
}
