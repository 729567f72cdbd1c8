/**
 * Writes field sections as header blocks (RFC 7541 §6), as latin1 text that is joined with frames. Fields that stay the
 * same from answer to answer enter the table, those that change do not, secrets never may (§7.1.3). No Huffman code:
 * it would cost more time than the few bytes that it saves.
 */
import type { Fields } from '../../kernel/fields.ts'
import { RULES, toStatus } from './answer-rules.ts'
import { DynamicTable, FIRST_DYNAMIC, TABLE_BYTES } from './hpack-table.ts'
import { toInteger, toText } from './hpack-text.ts'

/** An entry may take this part of the table: one answer's long policy should not push out all that is common. */
const MAX_ENTRY_BYTES = TABLE_BYTES / 4

interface SentEntry {
  readonly name: string
  readonly value: string
  readonly sizeBytes: number
}

export class HpackEncoder {
  private readonly table = new DynamicTable<SentEntry>()
  /** The smallest size since the last block, which the peer has to hear of (RFC 7541 §4.2). */
  private smallestBytes: number | undefined

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setTableBytes(bytes: number): void {
    const maxBytes = Math.min(bytes, TABLE_BYTES)
    if (maxBytes === this.table.maxBytes) return
    this.smallestBytes = Math.min(this.smallestBytes ?? maxBytes, maxBytes)
    this.table.resize(maxBytes)
  }

  /** The block of an answer; `bodyBytes` becomes its content-length. */
  encodeAnswer(status: number, fields: Fields, bodyBytes: number | undefined): string {
    const block = this.announceSize() + toStatus(status) + this.encodeFields(fields)
    return bodyBytes === undefined ? block : block + CONTENT_LENGTH + toText(String(bodyBytes))
  }

  encodeTrailers(trailers: Fields): string {
    return this.announceSize() + this.encodeFields(trailers)
  }

  private encodeFields({ names, values }: Fields): string {
    let block = ''
    for (let i = 0; i < names.length; i++) block += this.encode(names[i] ?? '', values[i] ?? '')
    return block
  }

  private encode(name: string, value: string): string {
    const rule = RULES.get(name)
    if (rule === undefined) return '\0' + toText(name) + toText(value)
    if (rule.leftOut) return ''
    if (rule.indexed === undefined) return rule.plain + toText(value)
    const { entries } = this.table
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i]
      if (entry !== undefined && entry.name === name && entry.value === value) {
        return toInteger(FIRST_DYNAMIC + entries.length - 1 - i, 7, 0x80)
      }
    }
    const sizeBytes = name.length + value.length + 32
    if (sizeBytes > MAX_ENTRY_BYTES || sizeBytes > this.table.maxBytes) return rule.plain + toText(value)
    this.table.insert({ name, value, sizeBytes })
    return rule.indexed + toText(value)
  }

  private announceSize(): string {
    const { smallestBytes, table } = this
    if (smallestBytes === undefined) return ''
    this.smallestBytes = undefined
    const first = smallestBytes < table.maxBytes ? toInteger(smallestBytes, 5, 0x20) : ''
    return first + toInteger(table.maxBytes, 5, 0x20)
  }
}

const CONTENT_LENGTH = RULES.get('content-length')?.plain ?? ''
