/** Looking into documents whose shape nobody has checked yet. */

export type Tree = Readonly<Record<string, unknown>>

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The map itself, or an empty one for anything else. */
export function toTree(value: unknown): Tree {
  return isTree(value) ? value : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The texts of a list; what is something else is left out. */
export function textsOf(value: unknown): string[] {
  return listOf(value).filter((each) => typeof each === 'string')
}

/** The map with every value replaced. `__proto__` as a key stays an ordinary key. */
export function mapValues(tree: Tree, change: (value: unknown, key: string) => unknown): Tree {
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, change(value, key)]))
}

/** The entries whose keys are in the list and that are there. */
export function pick(tree: Tree, keys: readonly string[]): Tree {
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(tree, key) ? [[key, tree[key]]] : [])))
}

export function omit(tree: Tree, keys: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)))
}
