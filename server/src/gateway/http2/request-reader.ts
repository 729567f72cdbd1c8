/** Header blocks of one connection in, requests and trailers out. */
import type { Fields } from '../../kernel/fields.ts'
import { Problem } from '../../kernel/problem.ts'
import type { HeadLimits } from '../http1/head.ts'
import { fieldsTooLarge } from '../http1/problems.ts'
import type { FieldEntry } from './field-entry.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { KeptSection } from './kept-section.ts'
import { readRequest, type RequestSection } from './request-section.ts'
import { readTrailers } from './request-trailers.ts'

const tooLarge = fieldsTooLarge({ detail: 'The field section is longer than the limit (RFC 9113 §10.5.1).' })

/** Sections are read one at a time on a thread. */
const section: FieldEntry[] = []

export class RequestReader {
  private readonly decoder = new HpackDecoder()
  private readonly kept = new KeptSection()

  /** Reads the request whose block is bytes[start, end); undefined when the block itself is not valid. */
  read(bytes: Buffer, start: number, end: number, limits: HeadLimits): RequestSection | Problem | undefined {
    const { version } = this.decoder.table
    const kept = this.kept.find(bytes, start, end, version, limits)
    if (kept !== undefined) return kept
    section.length = 0
    if (!this.decoder.decode(bytes, start, end, section, limits.maxHeadBytes)) return undefined
    const request = this.decoder.listBytes > limits.maxHeadBytes ? tooLarge : readRequest(section, limits)
    if (request instanceof Problem || request.head.upgrade !== undefined) return request
    if (version === this.decoder.table.version) this.kept.keep(bytes, start, end, version, limits, request)
    return request
  }

  /** The same for trailers. */
  readTrailers(bytes: Buffer, start: number, end: number, limits: HeadLimits): Fields | Problem | undefined {
    section.length = 0
    if (!this.decoder.decode(bytes, start, end, section, limits.maxHeadBytes)) return undefined
    return this.decoder.listBytes > limits.maxHeadBytes ? tooLarge : readTrailers(section, limits.maxFields)
  }

  /** Decodes for the sake of the table a block that nobody wants any more. */
  skip(bytes: Buffer, start: number, end: number): boolean {
    section.length = 0
    return this.decoder.decode(bytes, start, end, section, 0)
  }
}
