import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ChildLink } from '../crash/child-link.ts'

const childScript = join(import.meta.dirname, '../crash/store-child.ts')
/** As for PostgreSQL: where it is installed, and everywhere in CI, a missing strace fails. */
const hasStrace = process.env['CI'] === 'true' || spawnSync('strace', ['--version']).status === 0

/** The system calls of one thread that ended well, in the order in which they ended. */
function readCalls(trace: string): { readonly thread: string; readonly text: string }[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(text)?.[1]
    if (unfinished !== undefined) {
      begun.set(thread, unfinished)
      return []
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1]
    return [{ thread, text: rest === undefined ? text : `${begun.get(thread)}${rest}` }]
  })
}

test.skipIf(!hasStrace)(
  'a write on SQLite is synced to disk before it is acknowledged',
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-durability-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const trace = join(folder, 'trace')
    const calls = 'write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync'
    const tracer = ['strace', '-f', '-y', '-s', '40', '-e', `trace=${calls}`, '-o', trace]
    const child = new ChildLink(childScript, { folder: join(folder, 'data') }, tracer)
    onTestFinished(() => child.kill())
    await child.ready()
    const ids = [1, 2, 3, 4, 5]
    for (const id of ids) await child.ask({ id, parts: 3, text: 'durable' })
    await child.end()

    const all = readCalls(readFileSync(trace, 'utf8'))
    const thread = all.find(({ text }) => text.includes('"acknowledged 1'))?.thread
    const own = all.filter((call) => call.thread === thread).map(({ text }) => text)
    let from = 0
    for (const id of ids) {
      const end = indexOfAcknowledged(own, id)
      const before = own.slice(from, end)
      const lastWrite = before.findLastIndex((text) => /^pwrite\w*\(\d+<[^>]*\.sqlite-wal>/.test(text))
      const lastSync = before.findLastIndex((text) => /^f(data)?sync\(\d+<[^>]*\.sqlite-wal>\) += 0$/.test(text))
      expect(lastWrite, `change ${id} was written`).toBeGreaterThanOrEqual(0)
      expect(lastSync, `change ${id} was synced after it was written`).toBeGreaterThan(lastWrite)
      from = end
    }
  },
)

function indexOfAcknowledged(calls: readonly string[], id: number): number {
  return calls.findIndex((text) => text.startsWith('write(1') && text.includes(`"acknowledged ${id}\\n"`))
}
