/** A dynamic table of HPACK (RFC 7541 §2.3.2): one for each direction of a connection. */

/** Index of the newest entry of the dynamic table. */
export const FIRST_DYNAMIC = 62
/** What both directions start with (RFC 9113 §6.5.2), and the most that we keep for either. */
export const TABLE_BYTES = 4_096

interface Sized {
  /** Characters of name and value, and 32 (RFC 7541 §4.1). */
  readonly sizeBytes: number
}

export class DynamicTable<Entry extends Sized> {
  /** Oldest first. */
  readonly entries: Entry[] = []
  /** Changes whenever an index comes to mean something else. */
  version = 0
  maxBytes = TABLE_BYTES
  private usedBytes = 0

  /** The entry at an index of the whole address space, from `FIRST_DYNAMIC` on. */
  get(index: number): Entry | undefined {
    return this.entries[this.entries.length - 1 - (index - FIRST_DYNAMIC)]
  }

  /** An entry that is larger than the table empties it (RFC 7541 §4.4). */
  insert(entry: Entry): void {
    this.version++
    this.evictTo(this.maxBytes - entry.sizeBytes)
    if (entry.sizeBytes > this.maxBytes) return
    this.entries.push(entry)
    this.usedBytes += entry.sizeBytes
  }

  resize(maxBytes: number): void {
    this.version++
    this.maxBytes = maxBytes
    this.evictTo(maxBytes)
  }

  private evictTo(bytes: number): void {
    while (this.usedBytes > bytes) {
      const oldest = this.entries.shift()
      if (oldest === undefined) return
      this.usedBytes -= oldest.sizeBytes
    }
  }
}
