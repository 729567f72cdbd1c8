/**
 * Long lists in statements. A statement for each row is a way to the server and back for each, which is what large
 * changes on PostgreSQL would wait for; a statement for all rows has more parameters than a store takes.
 */

/** Not so many that SQLite would keep no statement of this length prepared. */
const MOST_ROWS = 100
/**
 * SQLite takes 32,766 parameters and PostgreSQL 65,535. Of tables that were empty a moment ago PostgreSQL may read all for
 * each statement, since it has not counted them yet; so keys come in larger numbers than rows.
 */
const MOST_KEYS = 1_000

/** Rows to be inserted. */
export function rowChunks<Row>(rows: readonly Row[]): Row[][] {
  return toChunks(rows, MOST_ROWS)
}

/** Names, ids or the like, to be looked for. */
export function keyChunks<Key>(keys: readonly Key[]): Key[][] {
  return toChunks(keys, MOST_KEYS)
}

function toChunks<Each>(list: readonly Each[], most: number): Each[][] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, at) => list.slice(at * most, (at + 1) * most))
}

/** What is found for all keys, some of them at a time. */
export async function findInChunks<Key, Row>(
  keys: Iterable<Key>,
  find: (some: readonly Key[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const found: Row[] = []
  for (const some of keyChunks([...new Set(keys)])) found.push(...(await find(some)))
  return found
}

/** Rows that are decided one by one and written together; both by their ids. */
export interface RowChanges<Row> {
  readonly removedIds: ReadonlySet<string>
  /** New ones, and old ones as they are from now on. */
  readonly rows: ReadonlyMap<string, Row>
}
