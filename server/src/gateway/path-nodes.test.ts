import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EXACT, NO_MARK, NO_NODE, PathNodes, PREFIX, ROOT } from './path-nodes.ts'

/** A path of few different segments, so that nodes have one child, several, or none; `{}` is a parameter. */
const segments = fc.array(
  fc.oneof(fc.constant('{}'), fc.string({ unit: fc.constantFrom('a', 'b', '\u0100', '\uffff'), maxLength: 3 })),
  { maxLength: 4 },
)

test('every path leads to the mark that was set for it, and no other text leads anywhere', () => {
  fc.assert(
    fc.property(fc.array(segments, { maxLength: 200 }), fc.array(segments), (paths, others) => {
      const nodes = new PathNodes()
      const marks = new Map<string, number>()
      for (const [index, path] of paths.entries()) {
        let node = ROOT
        for (const each of path) node = each === '{}' ? nodes.addParameter(node) : nodes.addLiteral(node, each)
        nodes.setMark(node, EXACT, index + 1)
        nodes.setMark(node, PREFIX, -1 - index)
        marks.set(JSON.stringify(path), index + 1)
      }
      for (const path of [...paths, ...others]) {
        const node = follow(nodes, path)
        const mark = marks.get(JSON.stringify(path)) ?? NO_MARK
        expect(node === undefined ? NO_MARK : nodes.mark(node, EXACT)).toBe(mark)
        expect(node === undefined ? NO_MARK : nodes.mark(node, PREFIX)).toBe(mark === NO_MARK ? NO_MARK : -mark)
      }
    }),
  )
})

/** Looks each segment up inside a longer text, as a request's path is. */
function follow(nodes: PathNodes, path: readonly string[]): number | undefined {
  let node = ROOT
  for (const each of path) {
    node = each === '{}' ? nodes.parameter(node) : nodes.literal(node, `/${each}/`, 1, 1 + each.length)
    if (node === NO_NODE) return undefined
  }
  return node
}

test('thousands of children of one node are each found', () => {
  const nodes = new PathNodes()
  const names = Array.from({ length: 5_000 }, (_, index) => `shelf-${index}`)
  const children = names.map((name) => nodes.addLiteral(ROOT, name))
  expect(new Set(children).size).toBe(names.length)
  expect(names.map((name) => nodes.literal(ROOT, name, 0, name.length))).toEqual(children)
  expect(nodes.literal(ROOT, 'shelf-5000', 0, 10)).toBe(NO_NODE)
})
