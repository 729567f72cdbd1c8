/**
 * The names of a JSON text, in the order in which its objects have them: each object is a way from the root, and objects
 * that are alike go the same way. An engine that makes values of the text learns the same ways and pays for each new
 * step, so their number tells what a text costs far better than its length does; and a name that stands twice in one
 * object is looked for only where a step is new.
 */

/** Up to so many names, going back to the root costs less than a set of them. */
const FEW_NAMES = 16

export class NameNode {
  readonly name: string
  readonly parent: NameNode | undefined
  readonly depth: number
  /** The name stands in the text as it is, without escapes. */
  readonly isPlain: boolean
  /** The step that was taken from here the last time: records are mostly alike. */
  likely: NameNode | undefined
  private others: Map<string, NameNode> | undefined

  constructor(name: string, parent: NameNode | undefined, isPlain: boolean) {
    this.name = name
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.isPlain = isPlain
  }

  find(name: string): NameNode | undefined {
    const found = this.likely?.name === name ? this.likely : this.others?.get(name)
    if (found !== undefined) this.likely = found
    return found
  }

  add(name: string, isPlain: boolean): NameNode {
    const added = new NameNode(name, this, isPlain)
    const first = this.likely
    if (first !== undefined) {
      this.others ??= new Map([[first.name, first]])
      this.others.set(name, added)
    }
    this.likely = added
    return added
  }
}

/** The way of one object, as far as it has come. */
export class NamePath {
  node: NameNode
  private names: Set<string> | undefined

  constructor(root: NameNode) {
    this.node = root
  }

  /** Whether the object has the name already; to be asked before each new step. */
  has(name: string): boolean {
    if (this.node.depth <= FEW_NAMES) {
      for (let node: NameNode | undefined = this.node; node?.parent !== undefined; node = node.parent) {
        if (node.name === name) return true
      }
      return false
    }
    if (this.names === undefined) {
      this.names = new Set()
      for (let node: NameNode | undefined = this.node; node?.parent !== undefined; node = node.parent) {
        this.names.add(node.name)
      }
    }
    return this.names.has(name)
  }

  /** Takes a new step. */
  add(name: string, isPlain: boolean): void {
    this.node = this.node.add(name, isPlain)
    this.names?.add(name)
  }
}
