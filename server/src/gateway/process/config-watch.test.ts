import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { readStates } from '../../config/file-states.ts'
import { ConfigWatch } from './config-watch.ts'

/** A watched file in a folder of its own. */
function watchFile(changed: () => void): { folder: string; file: string; watch: ConfigWatch } {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-watch-'))
  const file = join(folder, 'headgate.yaml')
  writeFileSync(file, 'headgate: 1\n')
  const watch = new ConfigWatch(changed)
  watch.follow(readStates([file]))
  onTestFinished(() => {
    watch.close()
    rmSync(folder, { recursive: true })
  })
  return { folder, file, watch }
}

test('a log that grows beside the file does not put a reload off', { timeout: 20_000 }, async () => {
  const changed = new Promise<string>((resolve) => {
    const { folder, file } = watchFile(() => resolve('changed'))
    const growing = setInterval(() => appendFileSync(join(folder, 'access.log'), 'a line\n'), 10)
    onTestFinished(() => clearInterval(growing))
    writeFileSync(file, 'headgate: 1 # and more\n')
  })
  expect(await changed).toBe('changed')
})

describe('a file', () => {
  const LOOK_MS = 500

  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function watchForChanges(): { folder: string; file: string; watch: ConfigWatch; changes: () => number } {
    const changed = vi.fn<() => void>()
    return { ...watchFile(changed), changes: () => changed.mock.calls.length }
  }

  test('that took the place of another is read almost at once', () => {
    const { file, changes } = watchForChanges()
    writeFileSync(`${file}.next`, 'headgate: 1 # without the end of a line')
    renameSync(`${file}.next`, file)
    vi.advanceTimersByTime(LOOK_MS + 200)
    expect(changes()).toBe(1)
  })

  test('that is written in place is read when nothing was added for a second', () => {
    const { file, changes } = watchForChanges()
    for (let line = 0; line < 3; line++) {
      appendFileSync(file, '# a line\n')
      vi.advanceTimersByTime(LOOK_MS)
      expect(changes()).toBe(line)
      vi.advanceTimersByTime(900)
      expect(changes()).toBe(line)
      vi.advanceTimersByTime(200)
      expect(changes()).toBe(line + 1)
      vi.advanceTimersByTime(LOOK_MS - 100)
    }
  })

  test('that breaks off within a line is given time, and read whole once it goes on', () => {
    const { file, changes } = watchForChanges()
    appendFileSync(file, 'upstr')
    vi.advanceTimersByTime(LOOK_MS + 4_000)
    expect(changes()).toBe(0)
    appendFileSync(file, 'eams: []\n')
    vi.advanceTimersByTime(1_400)
    expect(changes()).toBe(0)
    vi.advanceTimersByTime(200)
    expect(changes()).toBe(1)
  })

  test('that never ends a line, or never stays as it is, is read at last', () => {
    const { file, changes } = watchForChanges()
    appendFileSync(file, '# no end')
    vi.advanceTimersByTime(LOOK_MS + 5_100)
    expect(changes()).toBe(1)
    for (let ms = 0; ms < 18_000; ms += 900) {
      appendFileSync(file, '# more')
      vi.advanceTimersByTime(900)
    }
    expect(changes()).toBe(2)
  })

  test('behind links is told when one of them is swapped', () => {
    const changed = vi.fn<() => void>()
    const { folder, watch } = watchFile(changed)
    for (const version of ['1', '2']) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'headgate.yaml'), 'headgate: 1\n')
    }
    symlinkSync('1', join(folder, '..data'))
    symlinkSync('..data/headgate.yaml', join(folder, 'mounted.yaml'))
    watch.follow(readStates([join(folder, 'mounted.yaml')]))
    vi.advanceTimersByTime(LOOK_MS + 200)
    expect(changed).not.toHaveBeenCalled()
    symlinkSync('2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    vi.advanceTimersByTime(LOOK_MS + 200)
    expect(changed).toHaveBeenCalledOnce()
  })

  test('that changes after it was read, and before it is followed, is told', () => {
    const { file, watch, changes } = watchForChanges()
    const read = readStates([file])
    appendFileSync(file, '# changed\n')
    watch.follow(read)
    vi.advanceTimersByTime(1_100)
    expect(changes()).toBe(1)
  })

  test('that changed is not told any more once the watch is closed', () => {
    const { file, watch, changes } = watchForChanges()
    const read = readStates([file])
    watch.close()
    appendFileSync(file, '# changed\n')
    watch.follow(read)
    expect(vi.getTimerCount()).toBe(0)
    expect(changes()).toBe(0)
  })

  describe('that is named for the first time', () => {
    const settled = new Date(Date.now() - 60_000)

    function nameAnother(text: string): { file: string; other: string; watch: ConfigWatch; changes: () => number } {
      const all = watchForChanges()
      const other = join(all.folder, 'other.yaml')
      writeFileSync(other, text)
      return { ...all, other }
    }

    test('is whole when it has stood there for a while', () => {
      const { file, other, watch, changes } = nameAnother('openapi: 3.1.0\n')
      utimesSync(other, settled, settled)
      expect(watch.awaitNew(readStates([file, other]))).toBe(false)
      vi.advanceTimersByTime(20_000)
      expect(changes()).toBe(0)
    })

    test.each([
      ['that has just been written is told once it stays as it is', 'openapi: 3.1.0\n', 1_000],
      ['that breaks off within a line is given more time', 'openapi: 3.1', 5_000],
    ])('and %s', (_, text, settleMs) => {
      const { file, other, watch, changes } = nameAnother(text)
      expect(watch.awaitNew(readStates([file, other]))).toBe(true)
      vi.advanceTimersByTime(settleMs - 300)
      expect(changes()).toBe(0)
      vi.advanceTimersByTime(400)
      expect(changes()).toBe(1)
      expect(watch.awaitNew(readStates([file, other]))).toBe(false)
    })

    test('and that is replaced while it is read is told', () => {
      const { file, other, watch, changes } = nameAnother('openapi: 3.1.0\n')
      utimesSync(other, settled, settled)
      const read = readStates([file, other])
      writeFileSync(`${other}.next`, 'openapi: 3.0.0\n')
      utimesSync(`${other}.next`, settled, settled)
      renameSync(`${other}.next`, other)
      expect(watch.awaitNew(read)).toBe(true)
      vi.advanceTimersByTime(LOOK_MS)
      expect(changes()).toBe(1)
    })
  })
})
