/**
 * The Huffman code of HPACK (RFC 7541, appendix B) as steps of four bits. The code is canonical, so the lengths of its
 * words are all that has to be written down: the tree is built from them when the module is loaded.
 */

/** Bits in the code word of each byte; one more word, of thirty ones, stands for the end and never occurs. */
// oxfmt-ignore
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
]
const END_SYMBOL = 256

export const NEXT_MASK = 0x1ff
export const EMITS = 0x200
export const FAILS = 0x400
export const SYMBOL_SHIFT = 16

/** For each node of the tree and four bits: the next node, and the byte that ends within them. No word is shorter. */
export const STEPS = new Uint32Array(256 * 16)
/** Nodes at which a text may end: fewer than eight bits of the end's word, which are all ones. */
export const MAY_END = new Uint8Array(256)

/** Two children of each node: the index of a node, or `~symbol`; 0 is none yet. */
function buildTree(): Int32Array {
  const children = new Int32Array(512)
  const order = LENGTHS.map((_, symbol) => symbol).toSorted((a, b) => (LENGTHS[a] ?? 0) - (LENGTHS[b] ?? 0) || a - b)
  let nodes = 1
  let code = 0
  let codeBits = 0
  for (const symbol of order) {
    const length = LENGTHS[symbol] ?? 0
    code *= 2 ** (length - codeBits)
    codeBits = length
    let node = 0
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node * 2 + ((code >>> bit) & 1)
      if (children[at] === 0) children[at] = nodes++
      node = children[at] ?? 0
    }
    children[node * 2 + (code & 1)] = ~symbol
    code++
  }
  return children
}

function buildSteps(): void {
  const children = buildTree()
  for (let from = 0; from < 256; from++) {
    for (let bits = 0; bits < 16; bits++) {
      let node = from
      let step = 0
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[node * 2 + ((bits >>> bit) & 1)] ?? 0
        if (child === ~END_SYMBOL) step |= FAILS
        else if (child < 0) step |= EMITS | (~child << SYMBOL_SHIFT)
        node = child < 0 ? 0 : child
      }
      STEPS[from * 16 + bits] = step | node
    }
  }
  for (let ones = 0, node = 0; ones < 8; ones++, node = children[node * 2 + 1] ?? 0) MAY_END[node] = 1
}

buildSteps()
