/** The one key that is not in the database: given by the environment, or made once and kept in a file of its own. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const KEY_BYTES = 32

/** What is wrong with the master key, as a sentence for the operator. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError'
}

/** `given` is the base64 of 32 bytes; without it `master.key` in the folder is read, or made. */
export function readMasterKey(given: string | undefined, folder: string): Buffer {
  if (given !== undefined) return toKey(given, 'HEADGATE_MASTER_KEY')
  const path = join(folder, 'master.key')
  try {
    return toKey(readFileSync(path, 'utf8').trim(), path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const key = randomBytes(KEY_BYTES)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // `wx`: of two that start at once only one makes it; the other reads it.
  try {
    writeFileSync(path, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true })
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
