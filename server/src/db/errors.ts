/** What went wrong in the store, recognised alike on SQLite and PostgreSQL. */

/** Something failed for want of the store itself, not for what was asked of it; trying later may work. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** The code of SQLite (`SQLITE_…`), of PostgreSQL (SQLSTATE) or of the operating system (`ECONNRESET`). */
function readCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/** A row with the same key exists. */
export function isUniqueViolation(error: unknown): boolean {
  return ['23505', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'].includes(readCode(error))
}

/** A row refers to one that does not exist, or one was to go that others refer to. */
export function isForeignKeyViolation(error: unknown): boolean {
  return ['23503', '23001', 'SQLITE_CONSTRAINT_FOREIGNKEY', 'SQLITE_CONSTRAINT_TRIGGER'].includes(readCode(error))
}

/** Two transactions were in each other's way, and the same again may succeed. */
export function isConflict(error: unknown): boolean {
  const code = readCode(error)
  // serialization_failure, deadlock_detected; another process holds SQLite's write lock.
  return code === '40001' || code === '40P01' || code.startsWith('SQLITE_BUSY')
}

const unavailableCodes =
  /^(08...|53...|55P03|57P0[1235]|25P0[34]|SQLITE_(BUSY|IOERR|FULL|CANTOPEN|READONLY|LOCKED|PROTOCOL).*)$/
const networkCodes = /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT|EACCES)$/
/** The driver says these without a code. */
const unavailableMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|driver has already been destroyed|Cannot use a pool after)/

/** The store cannot be reached, is stopping, full or locked. Whether a write in flight was kept is then unknown. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true
  const code = readCode(error)
  if (unavailableCodes.test(code) || networkCodes.test(code)) return true
  return error instanceof Error && unavailableMessages.test(error.message)
}
