/** The bootstrap token of an installation: given, or made at the first start, shown once, and kept as a hash. */
import { join } from 'node:path'
import { readIfThere, replaceFile } from '../kernel/whole-file.ts'
import { createSecretToken, hashToken } from './tokens/secret-token.ts'

export interface AdminToken {
  /** SHA-256 in hex. */
  readonly hash: string
  /** The token, when it was made just now: nobody can see it again. */
  readonly fresh: string | undefined
  /** Makes it count at later starts too: of a start that fails nobody ever sees the token. */
  keep(): void
}

/** A token that is given counts alone; else the one whose hash lies in the folder, or a new one. */
export function readAdminToken(given: string | undefined, folder: string): AdminToken {
  const path = join(folder, 'admin-token.sha256')
  const hash = given === undefined ? /^[0-9a-f]{64}$/m.exec(readIfThere(path) ?? '')?.[0] : hashToken(given)
  if (hash !== undefined) return { hash, fresh: undefined, keep: () => undefined }
  const fresh = createSecretToken('admin')
  const made = hashToken(fresh)
  return { hash: made, fresh, keep: () => replaceFile(path, `${made}\n`) }
}
