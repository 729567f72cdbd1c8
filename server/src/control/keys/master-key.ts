/** The one key that is not in the database: given by the environment, or made once and kept in a file of its own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createFile, readIfThere } from '../../kernel/whole-file.ts'

const KEY_BYTES = 32

/** What is wrong with the master key, as a sentence for the operator. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError'
}

/** `given` is the base64 of 32 bytes; without it `master.key` in the folder is read, or made. */
export function readMasterKey(given: string | undefined, folder: string): Buffer {
  if (given !== undefined) return toKey(given, 'HEADGATE_MASTER_KEY')
  const path = join(folder, 'master.key')
  const kept = readIfThere(path)
  if (kept !== undefined) return toKey(kept.trim(), path)
  const key = randomBytes(KEY_BYTES)
  // Of two that start at once only one makes it; the other reads it.
  try {
    createFile(path, `${key.toString('base64')}\n`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    return readMasterKey(undefined, folder)
  }
  return key
}

function toKey(text: string, where: string): Buffer {
  const key = Buffer.from(text, 'base64')
  if (key.length === KEY_BYTES) return key
  throw new MasterKeyError(
    `${where} is no master key: it holds ${key.length} bytes of base64, not ${KEY_BYTES}. Make one with: openssl rand -base64 32`,
  )
}
