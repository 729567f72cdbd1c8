/**
 * How lines of a snapshot are handed on within a gateway: as pieces of a few dozen kilobytes, each with whole lines. The
 * process that compiles sends them to the main thread one by one, and the main thread gives them to its workers as memory
 * that all share. Each is taken line by line, in slices, at the taker's own pace; one message with all lines would be
 * unpacked at once, while requests wait.
 */
import type { SnapshotLine } from './snapshot-tree.ts'

export interface SnapshotDelivery {
  /** Root of the snapshot with these lines: what the worker has to arrive at. */
  readonly version: string
  /** All lines there are; else only what changed, where an empty line says that the key is gone. */
  readonly isWhole: boolean
  /** What `packLines` gives. */
  readonly pieces: readonly SharedArrayBuffer[]
}

/** A snapshot as its lines under their keys. */
export interface SnapshotLines {
  readonly version: string
  readonly lines: ReadonlyMap<string, string>
}

/** Lets the event loop run when this slice has had its time. */
export type Pause = () => Promise<void>

/** Ends a piece: less than a millisecond of work for whoever packs or takes it. */
const PIECE_CHARS = 32_768
const LINE_FEED = 10

export async function deliverWhole({ version, lines }: SnapshotLines, pause?: Pause): Promise<SnapshotDelivery> {
  return { version, isWhole: true, pieces: await share(lines, pause) }
}

/** Only what leads from one to the other. */
export async function deliverChange(
  before: SnapshotLines,
  after: SnapshotLines,
  pause?: Pause,
): Promise<SnapshotDelivery> {
  return { version: after.version, isWhole: false, pieces: await share(diffLines(before.lines, after.lines), pause) }
}

/** What leads from some lines to others; those that go are empty ones. */
export function* diffLines(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Generator<[key: string, line: string]> {
  for (const key of before.keys()) if (!after.has(key)) yield [key, '']
  for (const [key, line] of after) if (before.get(key) !== line) yield [key, line]
}

/**
 * Pieces of whole lines: key as JSON and line, each with a line feed after it, in UTF-8. JSON has no line feeds of its
 * own, so they can stand between.
 */
export function* packLines(lines: Iterable<readonly [key: string, line: string]>): Generator<Buffer> {
  let text = ''
  for (const [key, line] of lines) {
    text += `${JSON.stringify(key)}\n${line}\n`
    if (text.length < PIECE_CHARS) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

export function* unpackLines(bytes: Buffer): Generator<SnapshotLine> {
  let at = 0
  const next = (): string => {
    const end = bytes.indexOf(LINE_FEED, at)
    const part = bytes.toString('utf8', at, end)
    at = end + 1
    return part
  }
  while (at < bytes.length) {
    // Written by `packLines`, as JSON of a string.
    const key = String(JSON.parse(next()))
    yield { key, line: next() }
  }
}

export function* linesOf({ pieces }: SnapshotDelivery): Generator<SnapshotLine> {
  for (const piece of pieces) yield* unpackLines(Buffer.from(piece))
}

async function share(
  lines: Iterable<readonly [key: string, line: string]>,
  pause: Pause = () => Promise.resolve(),
): Promise<SharedArrayBuffer[]> {
  const pieces: SharedArrayBuffer[] = []
  for (const piece of packLines(lines)) {
    const shared = new SharedArrayBuffer(piece.length)
    piece.copy(Buffer.from(shared))
    pieces.push(shared)
    await pause()
  }
  return pieces
}
