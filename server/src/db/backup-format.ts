/**
 * A backup: JSON lines, compressed by gzip. First a header; then each table, as a line with its name and columns and a
 * line for each row; last a trailer with the number of rows and the SHA-256 of everything before it. It is the same
 * from both stores, so that either can be restored into the other.
 */
import { z } from 'zod'

/** The file is not a backup, is damaged, or does not fit this program or this store. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

const header = z.strictObject({
  format: z.literal('headgate-backup'),
  formatVersion: z.int(),
  createdAtMs: z.int(),
  /** Names of the migrations that the tables have gone through. */
  migrations: z.array(z.string()).min(1),
})
const table = z.strictObject({ table: z.string(), columns: z.array(z.string()).min(1) })
const row = z.array(z.union([z.string(), z.number(), z.null()]))
const trailer = z.strictObject({ rows: z.int(), sha256: z.string() })

export type BackupHeader = z.infer<typeof header>
export type BackupTable = z.infer<typeof table>
export type BackupRow = z.infer<typeof row>
export type BackupTrailer = z.infer<typeof trailer>

export const formatVersion = 1

export function parseHeader(line: string | undefined): BackupHeader {
  const parsed = header.safeParse(toJson(line ?? ''))
  if (!parsed.success) throw new BackupError('The file is not a backup of Headgate.')
  if (parsed.data.formatVersion > formatVersion)
    throw new BackupError('The backup was made by a newer Headgate, in a format that this one does not know.')
  return parsed.data
}

/** A line between the header and the end. */
export function parseLine(line: string): BackupTable | BackupRow | BackupTrailer {
  const parsed = z.union([row, table, trailer]).safeParse(toJson(line))
  if (!parsed.success) throw new BackupError('The backup is damaged: a line is neither a table nor a row.')
  return parsed.data
}

/** A value as both stores hold it; tables with others are not made. */
export function toBackupValue(value: unknown): string | number | null {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value
  throw new TypeError('A column holds what a backup cannot.')
}

function toJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // The schema then says what it is not.
    return undefined
  }
}
