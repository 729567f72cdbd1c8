import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileFiles } from '../../test/test-config.ts'
import { readSnapshotLines, SnapshotLineReader, toSnapshotLines } from './snapshot-lines.ts'

const golden = join(import.meta.dirname, '../../test/golden/config/accepted/everything.yaml')
const { snapshot } = compileFiles({ 'a.yaml': readFileSync(golden, 'utf8') })
const lines = toSnapshotLines(snapshot)
const plain: unknown = JSON.parse(JSON.stringify(snapshot))

describe('a snapshot as lines', () => {
  test('is the same after it was read line by line', () => {
    const reader = new SnapshotLineReader()
    for (const line of lines) reader.add(line)
    expect(reader.finish()).toEqual(plain)
  })

  test('has one line for each part and none that breaks', () => {
    const { upstreams, apis, routes, products, consumers } = snapshot
    const parts = [upstreams, apis, routes, products, consumers].reduce((sum, list) => sum + list.length, 1)
    expect(lines).toHaveLength(parts)
    expect(lines.filter((line) => line.includes('\n'))).toEqual([])
  })

  test('lets others run between slices', async () => {
    let pauses = 0
    const read = await readSnapshotLines(lines, () => {
      pauses++
      return Promise.resolve()
    })
    expect(read).toEqual(plain)
    expect(pauses).toBe(lines.length)
  })

  test('is refused when lines are missing or too many', async () => {
    const pause = (): Promise<void> => Promise.resolve()
    await expect(readSnapshotLines(lines.slice(0, -1), pause)).rejects.toThrow('fewer lines')
    await expect(readSnapshotLines([...lines, lines.at(-1) ?? ''], pause)).rejects.toThrow('more lines')
    await expect(readSnapshotLines([], pause)).rejects.toThrow('fewer lines')
  })
})
