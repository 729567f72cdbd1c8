/**
 * How the main thread of a gateway hands lines of a snapshot to its workers: as one piece of memory that all of them
 * share. A worker takes it line by line, in slices, at its own pace; a message with the lines would be unpacked at once,
 * while requests wait.
 */
import type { SnapshotLine } from './snapshot-tree.ts'

export interface SnapshotDelivery {
  /** Root of the snapshot with these lines: what the worker has to arrive at. */
  readonly version: string
  /** All lines there are; else only what changed, where an empty line says that the key is gone. */
  readonly isWhole: boolean
  /** Key as JSON and line, each with a line feed after it, in UTF-8. */
  readonly text: SharedArrayBuffer
}

/** A snapshot as its lines under their keys. */
export interface SnapshotLines {
  readonly version: string
  readonly lines: ReadonlyMap<string, string>
}

const LINE_FEED = 10

export function deliverWhole({ version, lines }: SnapshotLines): SnapshotDelivery {
  return { version, isWhole: true, text: pack([...lines]) }
}

/** Only what leads from one to the other. */
export function deliverChange(before: SnapshotLines, after: SnapshotLines): SnapshotDelivery {
  return { version: after.version, isWhole: false, text: pack([...diffLines(before.lines, after.lines)]) }
}

/** What leads from some lines to others; those that go are empty ones. */
export function* diffLines(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Generator<[key: string, line: string]> {
  for (const key of before.keys()) if (!after.has(key)) yield [key, '']
  for (const [key, line] of after) if (before.get(key) !== line) yield [key, line]
}

export function* unpackLines({ text }: SnapshotDelivery): Generator<SnapshotLine> {
  const bytes = Buffer.from(text)
  let at = 0
  const next = (): string => {
    const end = bytes.indexOf(LINE_FEED, at)
    const part = bytes.toString('utf8', at, end)
    at = end + 1
    return part
  }
  while (at < bytes.length) {
    // Written by `pack`, as JSON of a string.
    const key = String(JSON.parse(next()))
    yield { key, line: next() }
  }
}

/** JSON has no line feeds of its own, so they can stand between. */
function pack(lines: readonly (readonly [key: string, line: string])[]): SharedArrayBuffer {
  const keys = lines.map(([key]) => JSON.stringify(key))
  const size = lines.reduce(
    (sum, [, line], at) => sum + Buffer.byteLength(keys[at] ?? '') + Buffer.byteLength(line) + 2,
    0,
  )
  const text = new SharedArrayBuffer(size)
  const bytes = Buffer.from(text)
  let at = 0
  for (const [index, [, line]] of lines.entries()) {
    for (const part of [keys[index] ?? '', line]) {
      at += bytes.write(part, at)
      bytes[at++] = LINE_FEED
    }
  }
  return text
}
