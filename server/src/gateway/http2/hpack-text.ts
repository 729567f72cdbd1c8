/** Integers and texts of HPACK (RFC 7541 §5) as they are written: latin1, without Huffman code. */

/** An integer whose first `bits` bits share a byte with `flags` (RFC 7541 §5.1). */
export function toInteger(value: number, bits: number, flags: number): string {
  const mask = (1 << bits) - 1
  if (value < mask) return String.fromCharCode(flags | value)
  let text = String.fromCharCode(flags | mask)
  let rest = value - mask
  for (; rest >= 128; rest = Math.floor(rest / 128)) text += String.fromCharCode((rest & 127) | 128)
  return text + String.fromCharCode(rest)
}

const LENGTHS = Array.from({ length: 127 }, (_, length) => String.fromCharCode(length))

export function toText(text: string): string {
  return (LENGTHS[text.length] ?? toInteger(text.length, 7, 0)) + text
}
