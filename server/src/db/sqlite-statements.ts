/**
 * Statements of a SQLite handle, prepared once and kept. Preparing costs more than running most of them, and what a
 * statement takes outside the heap is only given back when it is collected: thousands of them were gigabytes.
 */
import type BetterSqlite from 'better-sqlite3'

const MOST_STATEMENTS = 256
/** Enough for as many rows as are written at once. Longer ones are lists of whatever length, hardly two the same. */
const MOST_CHARS = 8_000
/** Whatever else there is may change the tables that a statement was prepared for. */
const KEPT = /^\s*(?:select|insert|update|delete|with)\b/i

type Statement = BetterSqlite.Statement<unknown[]>

const kept = new WeakMap<BetterSqlite.Database, Map<string, Statement>>()

/** A statement that nobody iterates: two would disturb each other. */
export function prepareOnce<Row>(handle: BetterSqlite.Database, sql: string): BetterSqlite.Statement<unknown[], Row> {
  const statements = kept.get(handle) ?? new Map<string, Statement>()
  kept.set(handle, statements)
  if (!KEPT.test(sql)) {
    if (!/^\s*(?:savepoint|release|rollback)\b/i.test(sql)) statements.clear()
    return handle.prepare(sql)
  }
  if (sql.length > MOST_CHARS) return handle.prepare(sql)
  const known = statements.get(sql) ?? handle.prepare(sql)
  // Taken out and put in again, it is the one that was used last; the first one was not for the longest time.
  statements.delete(sql)
  statements.set(sql, known)
  const [oldest] = statements.size > MOST_STATEMENTS ? statements.keys() : []
  if (oldest !== undefined) statements.delete(oldest)
  // What a row is stands in the query, not in the statement.
  return known as BetterSqlite.Statement<unknown[], Row>
}
