/**
 * Long lists in statements. A statement for each row is a way to the server and back for each, which is what large
 * changes on PostgreSQL would wait for; a statement for all rows has more parameters than a store takes.
 */

/**
 * SQLite takes 32,766 parameters and PostgreSQL 65,535; rows of the widest table are far below. Nor are they so many that
 * SQLite would keep no statement of this length prepared.
 */
const MOST_ROWS = 100

export function chunks<Each>(list: readonly Each[]): Each[][] {
  const count = Math.ceil(list.length / MOST_ROWS)
  return Array.from({ length: count }, (_, at) => list.slice(at * MOST_ROWS, (at + 1) * MOST_ROWS))
}

/** What is found for all keys, some of them at a time. */
export async function findInChunks<Key, Row>(
  keys: Iterable<Key>,
  find: (some: readonly Key[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const found: Row[] = []
  for (const some of chunks([...new Set(keys)])) found.push(...(await find(some)))
  return found
}

/** Rows that are decided one by one and written together; both by their ids. */
export interface RowChanges<Row> {
  readonly removedIds: ReadonlySet<string>
  /** New ones, and old ones as they are from now on. */
  readonly rows: ReadonlyMap<string, Row>
}
