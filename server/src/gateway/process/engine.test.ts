import { execFile } from 'node:child_process'
import { getPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

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
