/**
 * Shares callers out among revisions of one api that run side by side. A caller stays on its side for as long as the
 * shares stay: which side follows from what it presents, hashed with a secret, so that nobody can choose.
 */
import { hash } from 'node:crypto'
import type { Exchange, ExchangeRequest } from '../kernel/exchange.ts'
import { queryJoined } from '../kernel/query.ts'
import { SPLIT_PARTS, type ReleaseSpec, type SplitBy, type SplitSpec } from '../kernel/snapshot.ts'
import { opensPreview } from './preview.ts'

type Condition = (exchange: Exchange) => boolean

/** One group: its revisions ask it in turn, and it hashes once for each request. */
export class CallerSplit {
  private readonly key: string
  private readonly by: SplitBy

  constructor({ key, by }: SplitSpec) {
    this.key = key
    this.by = by
  }

  /** Whether the caller is among those of the revision; undefined when all are, `false` when none is. */
  conditionOf({ deployment, split }: ReleaseSpec): Condition | undefined | false {
    const shared = this.shareOf(split)
    const { preview } = split
    if (preview === undefined) return shared
    const tokenHash = Buffer.from(preview.hash, 'hex')
    if (preview.deployment === deployment) {
      if (shared === undefined) return undefined
      return (exchange) => opensPreview(exchange, tokenHash) || (shared !== false && shared(exchange))
    }
    if (shared === false) return false
    return (exchange) => !opensPreview(exchange, tokenHash) && (shared === undefined || shared(exchange))
  }

  private shareOf({ from, to }: SplitSpec): Condition | undefined | false {
    if (from >= to) return false
    if (from <= 0 && to >= SPLIT_PARTS) return undefined
    return (exchange) => {
      const part = this.partOf(exchange)
      return part >= from && part < to
    }
  }

  /** Taken before any policy has run: what is presented need not be right, only the same every time. */
  private partOf(exchange: Exchange): number {
    const known = exchange.recall(this)
    if (typeof known === 'number') return known
    const digest = hash('sha256', `${this.key}\n${toCaller(exchange.request, this.by)}`, 'buffer')
    const part = digest.readUInt32BE(0) % SPLIT_PARTS
    exchange.remember(this, part)
    return part
  }
}

/** The address is what is left of a caller that presents nothing. */
function toCaller({ fields, query, peer }: ExchangeRequest, by: SplitBy): string {
  if (by.kind === 'header') return fields.joined(by.name) ?? peer.ip
  if (by.kind === 'credential') {
    for (const name of by.fields) {
      const value = fields.joined(name)
      if (value !== undefined) return value
    }
    for (const name of by.query) {
      const value = queryJoined(query, name)
      if (value !== undefined) return value
    }
  }
  return peer.ip
}

/** Both conditions, each of which may be absent. */
export function both(first: Condition | undefined, second: Condition | undefined): Condition | undefined {
  if (first === undefined || second === undefined) return first ?? second
  return (exchange) => first(exchange) && second(exchange)
}
