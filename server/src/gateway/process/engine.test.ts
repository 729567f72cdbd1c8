import { execFile } from 'node:child_process'
import { getPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { collectGarbage } from './engine.ts'

const child = fileURLToPath(new URL('../../../test/process/engine-child.ts', import.meta.url))

/** By thread what the kernel thinks of it; rejects when the process does not live through its collections. */
async function runOn(cores: string): Promise<{ name: string; niceness: number }[]> {
  const { stdout } = await promisify(execFile)('taskset', ['-c', cores, process.execPath, child])
  const threads: { name: string; niceness: number }[] = JSON.parse(stdout)
  return threads
}

// Threads have a niceness of their own on Linux alone, and `taskset` is a part of it.
test.runIf(process.platform === 'linux')(
  'on one core, threads that help to collect come after those that serve',
  async () => {
    const threads = await runOn('0')
    const helpers = threads.filter(({ name }) => name.endsWith('V8Worker'))
    expect(helpers.length).toBeGreaterThan(0)
    expect(new Set(helpers.map(({ niceness }) => niceness))).toEqual(new Set([10]))
    const others = threads.filter((thread) => !helpers.includes(thread))
    expect(others.map(({ name }) => name)).toContain('serves')
    for (const { niceness } of others) expect(niceness).toBe(getPriority())
  },
)

test('what nothing holds any more is collected at once', async () => {
  const dropped = new WeakRef({ bytes: Buffer.alloc(1) })
  const kept = { bytes: Buffer.alloc(1) }
  const reference = new WeakRef(kept)
  // What a reference was made of lives until the turn has ended.
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  expect(dropped.deref()).toBeUndefined()
  expect(reference.deref()).toBe(kept)
  expect(globalThis).not.toHaveProperty('gc')
})
