import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { diffLines, type SnapshotLines } from '../../kernel/snapshot-delivery.ts'
import { SnapshotTree } from '../../kernel/snapshot-tree.ts'
import { readStates } from '../../config/file-states.ts'
import { compileInChild } from './compile-in-child.ts'

test('a configuration that takes too long to be read is refused with a sentence', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-compile-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, 'headgate: 1\n')
  // No process starts in a millisecond.
  const outcome = await compileInChild(
    { path, environment: {}, cacheFolder: join(folder, 'cache') },
    { timeLimitMs: 1 },
  )
  expect(outcome).toMatchObject({
    kind: 'refused',
    issues: [{ file: path, message: 'the configuration takes more than 0.001 seconds to be read' }],
    watched: readStates([path]),
  })
})

test('the lines of a large configuration arrive whole, however many pieces they come in', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-compile-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  const order = { path, environment: {}, cacheFolder: join(folder, 'cache') }
  const routes = Array.from({ length: 1_000 }, (_, at) => ({ name: `r${at}`, match: { path: `/${at}` } }))
  const api = { name: 'a', version: '1', basePath: '/', upstream: 'one', routes }
  const upstream = { name: 'one', targets: [{ url: 'http://127.0.0.1:1' }] }
  writeFileSync(path, JSON.stringify({ headgate: 1, upstreams: [upstream], apis: [api] }))
  const first = await compileInChild(order)
  if (first.kind === 'refused') throw new Error(first.issues.map(({ message }) => message).join())
  expect(first.routes).toBe(1_000)
  expect(rootOf(first)).toBe(first.version)

  routes.splice(500, 1)
  writeFileSync(path, JSON.stringify({ headgate: 1, upstreams: [upstream], apis: [api] }))
  const second = await compileInChild(order, { known: first.lines })
  if (second.kind === 'refused') throw new Error(second.issues.map(({ message }) => message).join())
  expect(rootOf(second)).toBe(second.version)
  expect([...diffLines(first.lines, second.lines)]).toEqual([['routes/a/1/r500', '']])
})

test('a process that cannot be started fails this reading alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-compile-'))
  const { execPath } = process
  onTestFinished(() => {
    process.execPath = execPath
    rmSync(folder, { recursive: true })
  })
  // As where Node was upgraded under a gateway that runs.
  process.execPath = join(folder, 'node')
  const order = { path: join(folder, 'headgate.yaml'), environment: {}, cacheFolder: join(folder, 'cache') }
  await expect(compileInChild(order)).rejects.toThrow('ENOENT')
})

const nice = fileURLToPath(new URL('../../../test/process/compile-niceness-child.ts', import.meta.url))

// What a process may ask of the kernel, and how it is told, is a matter of Linux.
test.runIf(process.platform === 'linux').each([
  ['0', 6],
  ['15', 15],
])('a gateway of niceness %s compiles with niceness %d', async (own, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-compile-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, 'headgate: 1\n')
  const command = [process.execPath, nice, path, join(folder, 'cache')]
  const { stdout } = await promisify(execFile)('nice', ['-n', own, ...command])
  expect(JSON.parse(stdout)).toEqual({ kind: 'compiled', niceness: [expected] })
})

function rootOf({ lines }: SnapshotLines): string {
  const tree = new SnapshotTree()
  for (const [key, line] of lines) tree.set(key, line)
  return tree.root()
}
