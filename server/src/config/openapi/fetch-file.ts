/** What an import needs of the network or the disk: one file by its address, within bounds. */
import type { DocumentRule } from './document-rules.ts'

export interface FetchedFile {
  /** Where it was found after redirects: its own references start there. */
  readonly url: URL
  readonly bytes: Uint8Array
}

export interface FetchBounds {
  readonly maxBytes: number
  readonly timeoutMs: number
  /** Asked before every request, so also for what a redirect leads to. */
  readonly allows: (url: URL) => boolean
}

/** Rejects with a `FetchFault`. */
export type FetchFile = (url: URL, bounds: FetchBounds) => Promise<FetchedFile>

/** Why a file cannot be had: a sentence without anything that the other side answered. */
export class FetchFault extends Error {
  override readonly name = 'FetchFault'
  readonly rule: DocumentRule

  constructor(rule: DocumentRule, message: string) {
    super(message)
    this.rule = rule
  }
}
