/** Decodes the Huffman code of HPACK (RFC 7541 §5.2), four bits at a time. */
import { EMITS, FAILS, MAY_END, NEXT_MASK, STEPS, SYMBOL_SHIFT } from './huffman-steps.ts'

/** The longest text that so many bytes can stand for: the shortest word has five bits. */
export function toMaxDecoded(bytes: number): number {
  return Math.ceil((bytes * 8) / 5)
}

/** Decodes bytes[start, end) into `target` from its beginning; returns the length, or -1 when it is not valid. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let node = 0
  let length = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    const high = STEPS[node * 16 + (byte >>> 4)] ?? FAILS
    if ((high & EMITS) !== 0) target[length++] = high >>> SYMBOL_SHIFT
    const low = STEPS[(high & NEXT_MASK) * 16 + (byte & 15)] ?? FAILS
    if ((low & EMITS) !== 0) target[length++] = low >>> SYMBOL_SHIFT
    if (((high | low) & FAILS) !== 0) return -1
    node = low & NEXT_MASK
  }
  return MAY_END[node] === 1 ? length : -1
}
