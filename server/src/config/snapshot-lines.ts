/**
 * A snapshot as lines of JSON, one for each part: so that a serving thread takes it over in slices of a few
 * milliseconds instead of parsing it at once.
 */
import type { Snapshot } from '../kernel/snapshot.ts'
import type { SnapshotTree } from '../kernel/snapshot-tree.ts'

type Lists = Pick<Snapshot, 'upstreams' | 'apis' | 'routes' | 'consumers' | 'products'>
type ListName = keyof Lists

/** The order of the lists in the lines: what a part refers to comes before it. */
const LISTS: readonly ListName[] = ['upstreams', 'apis', 'routes', 'products', 'consumers']

/** The key of the line with what belongs to the gateway as a whole. */
const HEADER_KEY = 'header'

interface Header {
  readonly version: string
  readonly listener: Snapshot['listener']
  readonly policies: Snapshot['policies']
  readonly counts: Readonly<Record<ListName, number>>
}

/** The first line says how many of each follow; the others are the parts, list by list. */
export function toSnapshotLines(snapshot: Snapshot): string[] {
  const { version, listener, policies, upstreams, apis, routes, products, consumers } = snapshot
  const counts = {
    upstreams: upstreams.length,
    apis: apis.length,
    routes: routes.length,
    products: products.length,
    consumers: consumers.length,
  }
  const header: Header = { version, listener, policies, counts }
  return [header, ...LISTS.flatMap((list): readonly unknown[] => snapshot[list])].map((part) => JSON.stringify(part))
}

/** Takes the lines one by one. They come from `toSnapshotLines` of the same version, so their shape is not checked. */
export class SnapshotLineReader {
  private readonly lists = { upstreams: [], apis: [], routes: [], products: [], consumers: [] } satisfies Lists
  private header: Header | undefined = undefined
  /** Lists that still wait for parts, the current one first. */
  private readonly open: ListName[] = []

  /** Adds one line; throws when there are more than the first one said. */
  add(line: string): void {
    const part: unknown = JSON.parse(line)
    if (this.header === undefined) {
      this.header = part as Header
      this.open.push(...LISTS)
    } else {
      const list = this.current()
      if (list === undefined) throw new Error('the snapshot has more lines than its first one says')
      const parts: unknown[] = this.lists[list]
      parts.push(part)
    }
  }

  /** The snapshot; throws when lines are missing. */
  finish(): Snapshot {
    const { header } = this
    if (header === undefined || this.current() !== undefined)
      throw new Error('the snapshot has fewer lines than it says')
    const { version, listener, policies } = header
    return { version, listener, policies, ...this.lists }
  }

  private current(): ListName | undefined {
    for (;;) {
      const [list] = this.open
      if (list === undefined || this.lists[list].length < (this.header?.counts[list] ?? 0)) return list
      this.open.shift()
    }
  }
}

/** Reads the lines; `pause` is awaited after each and lets others run when a slice has had its time. */
export async function readSnapshotLines(lines: readonly string[], pause: () => Promise<void>): Promise<Snapshot> {
  const reader = new SnapshotLineReader()
  for (const line of lines) {
    reader.add(line)
    await pause()
  }
  return reader.finish()
}

/** The lines that workers take, from a snapshot that control keeps under keys; its version is the root of the tree. */
export function orderSnapshotLines(tree: SnapshotTree): string[] {
  const lists: Record<ListName, string[]> = { upstreams: [], apis: [], routes: [], products: [], consumers: [] }
  for (const { key, line } of tree.lines()) {
    const list = LISTS.find((name) => key.startsWith(`${name}/`))
    if (list !== undefined) lists[list].push(line)
    else if (key !== HEADER_KEY) throw new Error(`a snapshot has no line ${JSON.stringify(key)}`)
  }
  const header = tree.get(HEADER_KEY)
  if (header === undefined) throw new Error('the snapshot has no header')
  const counts = Object.fromEntries(LISTS.map((list) => [list, lists[list].length]))
  // The line is JSON of an object that was made by `toHeaderLine`; what is added is only known here.
  const whole = { ...(JSON.parse(header) as Pick<Header, 'listener' | 'policies'>), version: tree.root(), counts }
  return [JSON.stringify(whole), ...LISTS.flatMap((list) => lists[list])]
}
