/**
 * The request that a connection sent last. A client that sends the same header block again means the same section as
 * long as its table did not change, so the block is compared before it is decoded.
 */
import { RequestHead, type HeadLimits } from '../http1/head.ts'
import type { RequestSection } from './request-section.ts'

/** Blocks are repeated when everything in them is in the tables: such a block is short. */
const MAX_KEPT_BYTES = 128

export class KeptSection {
  private block: Buffer | undefined
  private blockBytes = 0
  private version = -1
  private limits: HeadLimits | undefined
  private request: RequestSection | undefined

  /** The request of the block in bytes[start, end), read with a table of this version and by these limits. */
  find(bytes: Buffer, start: number, end: number, version: number, limits: HeadLimits): RequestSection | undefined {
    const { block, request } = this
    if (request === undefined || block === undefined || end - start !== this.blockBytes) return undefined
    if (this.version !== version || this.limits !== limits) return undefined
    // All bytes are looked at: a proxy's connection carries the keys of several, which time must not tell of.
    let difference = 0
    for (let i = 0; i < this.blockBytes; i++) difference |= (block[i] ?? 0) ^ (bytes[start + i] ?? 0)
    return difference === 0 ? copyOf(request) : undefined
  }

  keep(bytes: Buffer, start: number, end: number, version: number, limits: HeadLimits, request: RequestSection): void {
    if (end - start > MAX_KEPT_BYTES) return
    this.block ??= Buffer.allocUnsafeSlow(MAX_KEPT_BYTES)
    this.blockBytes = bytes.copy(this.block, 0, start, end)
    this.version = version
    this.limits = limits
    this.request = copyOf(request)
  }
}

/** Policies change the fields of a request, so each gets its own. */
function copyOf({ head, contentLength }: RequestSection): RequestSection {
  const copy = new RequestHead(head.fields.remember())
  copy.method = head.method
  copy.path = head.path
  copy.query = head.query
  copy.authority = head.authority
  copy.host = head.host
  copy.bodyBytes = head.bodyBytes
  copy.expectContinue = head.expectContinue
  copy.acceptsTrailers = head.acceptsTrailers
  return { head: copy, contentLength }
}
