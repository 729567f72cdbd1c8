/** A header block that comes in several frames (RFC 9113 §6.10), put together; bounded in frames and bytes. */

/** So many frames carry the longest block that is allowed, with room for a client that cuts it small. */
const MAX_FRAMES = 80

export class HeaderBlock {
  private readonly maxBytes: number
  private readonly parts: Buffer[] = []
  private bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Adds a copy of bytes[start, end); false when the block comes to be too long. */
  add(bytes: Buffer, start: number, end: number): boolean {
    this.bytes += end - start
    if (this.bytes > this.maxBytes || this.parts.length >= MAX_FRAMES) return false
    this.parts.push(Buffer.from(bytes.subarray(start, end)))
    return true
  }

  join(): Buffer {
    return Buffer.concat(this.parts)
  }
}
