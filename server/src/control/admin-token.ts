/** The bootstrap token of an installation: given, or made at the first start, shown once, and kept as a hash. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecretToken, hashToken } from './tokens/secret-token.ts'

export interface AdminToken {
  /** SHA-256 in hex. */
  readonly hash: string
  /** The token, when it was made just now: nobody can see it again. */
  readonly fresh: string | undefined
}

/** A token that is given counts alone; else the one whose hash lies in the folder, or a new one. */
export function readAdminToken(given: string | undefined, folder: string): AdminToken {
  if (given !== undefined) return { hash: hashToken(given), fresh: undefined }
  const path = join(folder, 'admin-token.sha256')
  try {
    const hash = readFileSync(path, 'utf8').trim()
    if (/^[0-9a-f]{64}$/.test(hash)) return { hash, fresh: undefined }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const fresh = createSecretToken('admin')
  const hash = hashToken(fresh)
  writeFileSync(path, `${hash}\n`, { mode: 0o600, flush: true })
  return { hash, fresh }
}
