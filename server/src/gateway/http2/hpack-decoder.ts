/**
 * Reads header blocks (RFC 7541 §3, §6). What is too long for the limits is read all the same and not kept: the tables
 * of both ends must stay equal, or every later block would mean something else.
 */
import { FieldEntry, isValue } from './field-entry.ts'
import { lastRole, readName } from './field-roles.ts'
import { decodeHuffman, toMaxDecoded } from './hpack-huffman.ts'
import { staticTable } from './hpack-static.ts'
import { DynamicTable, FIRST_DYNAMIC, TABLE_BYTES } from './hpack-table.ts'

/** Integers of HPACK end within so many bytes after the first: 28 bits are beyond every length and index. */
const MAX_INTEGER_BYTES = 4

/** Huffman texts are decoded one at a time on a thread. */
let scratch = Buffer.allocUnsafeSlow(16_384)

export class HpackDecoder {
  readonly table = new DynamicTable<FieldEntry>()
  /** Size of the list that was read last, as SETTINGS_MAX_HEADER_LIST_SIZE counts it. */
  listBytes = 0
  private bytes: Buffer = scratch
  private at = 0
  private end = 0
  private failed = false
  /** Where the text lies that was read last. */
  private text: Buffer = scratch
  private textFrom = 0
  private textTo = 0

  /**
   * Reads the block in bytes[start, end) and appends its fields to `section`, as many as `maxListBytes` allows. Returns
   * false when the block is not valid: the connection cannot go on (RFC 7541 §2.2).
   */
  decode(bytes: Buffer, start: number, end: number, section: FieldEntry[], maxListBytes: number): boolean {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.failed = false
    this.listBytes = 0
    let mayResize = true
    while (this.at < end && !this.failed) {
      const first = bytes[this.at] ?? 0
      if ((first & 0xe0) === 0x20) {
        // RFC 7541 §4.2: a new size stands at the beginning of a block or nowhere.
        if (!mayResize) return false
        this.resize()
        continue
      }
      mayResize = false
      const entry = (first & 0x80) === 0 ? this.readLiteral(first) : this.find(this.readInteger(7))
      if (entry === undefined) return false
      this.listBytes += entry.sizeBytes
      if (this.listBytes <= maxListBytes) section.push(entry)
    }
    this.bytes = this.text = scratch
    return !this.failed
  }

  private find(index: number): FieldEntry | undefined {
    return index < FIRST_DYNAMIC ? staticTable[index] : this.table.get(index)
  }

  private resize(): void {
    const maxBytes = this.readInteger(5)
    if (maxBytes > TABLE_BYTES) this.failed = true
    else if (maxBytes !== this.table.maxBytes) this.table.resize(maxBytes)
  }

  /** A literal with indexing (01), without (0000) or never to be indexed (0001) (RFC 7541 §6.2). */
  private readLiteral(first: number): FieldEntry | undefined {
    const isIndexed = (first & 0x40) !== 0
    const index = this.readInteger(isIndexed ? 6 : 4)
    let name: string
    let role: number
    if (index === 0) {
      this.readText()
      if (this.failed) return undefined
      name = readName(this.text, this.textFrom, this.textTo)
      role = lastRole
    } else {
      const named = this.find(index)
      if (named === undefined) return undefined
      name = named.name
      role = named.role
    }
    this.readText()
    if (this.failed) return undefined
    const { text, textFrom, textTo } = this
    const value = text.toString('latin1', textFrom, textTo)
    const entry = new FieldEntry(name, role, value, isValue(text, textFrom, textTo))
    if (isIndexed) this.table.insert(entry)
    return entry
  }

  /** An integer whose first `bits` bits end the byte at hand (RFC 7541 §5.1). */
  private readInteger(bits: number): number {
    const { bytes, end } = this
    const mask = (1 << bits) - 1
    let value = this.at < end ? (bytes[this.at++] ?? 0) & mask : this.fail()
    if (value < mask) return value
    for (let shift = 0; shift < MAX_INTEGER_BYTES * 7; shift += 7) {
      if (this.at >= end) return this.fail()
      const byte = bytes[this.at++] ?? 0
      value += (byte & 0x7f) << shift
      if (byte < 128) return value
    }
    return this.fail()
  }

  private readText(): void {
    const isHuffman = this.at < this.end && ((this.bytes[this.at] ?? 0) & 0x80) !== 0
    const length = this.readInteger(7)
    const start = this.at
    if (this.failed || length > this.end - start) {
      this.failed = true
      return
    }
    this.at = start + length
    if (!isHuffman) {
      this.text = this.bytes
      this.textFrom = start
      this.textTo = this.at
      return
    }
    if (toMaxDecoded(length) > scratch.length) scratch = Buffer.allocUnsafeSlow(toMaxDecoded(length))
    const decoded = decodeHuffman(this.bytes, start, this.at, scratch)
    if (decoded === -1) this.failed = true
    this.text = scratch
    this.textFrom = 0
    this.textTo = decoded
  }

  private fail(): number {
    this.failed = true
    return 0
  }
}
