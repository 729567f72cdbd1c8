import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import { testRecord } from '../../test/test-record.ts'
import { NO_ROUTE_TEXT } from './access-log-line.ts'
import { createAccessLog } from './access-log.ts'
import { createFileWriter, createLogWriter, openLogPort, type LogOutput, type LogWriter } from './log-writer.ts'

const scratch = mkdtempSync(join(tmpdir(), 'headgate-log-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A writer that takes pieces only when it is let. */
function slowWriter() {
  const pieces: string[] = []
  const held: { resolve(): void; reject(cause: Error): void }[] = []
  let called = Promise.withResolvers<void>()
  const writer: LogWriter = {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        pieces.push(Buffer.from(bytes).toString())
        held.push({ resolve: () => resolve(bytes), reject })
        called.resolve()
      }),
  }
  /** The next call of the writer. */
  const nextWrite = async (): Promise<void> => {
    await called.promise
    called = Promise.withResolvers<void>()
  }
  return { writer, pieces, held, nextWrite }
}

const keepIn =
  (pieces: string[]): LogWriter['write'] =>
  async (bytes) => {
    pieces.push(Buffer.from(bytes).toString())
    return bytes
  }

const lineCount = (pieces: readonly string[]): number => pieces.join('').split('\n').length - 1

describe('the access log', () => {
  test('writes what was appended, in order, also what fills no piece', async () => {
    const pieces: string[] = []
    const log = createAccessLog({ write: keepIn(pieces) })
    for (let i = 0; i < 4000; i++) log.append(testRecord({ path: `/${i}` }), NO_ROUTE_TEXT)
    await log.close()
    const paths = pieces
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => /"path":"([^"]*)"/.exec(line)?.[1])
    expect(paths).toEqual(Array.from({ length: 4000 }, (_, i) => `/${i}`))
    expect(pieces.every((piece) => piece.endsWith('\n'))).toBe(true)
    expect([pieces.length > 3, log.dropped]).toEqual([true, 0])
  })

  test('writes by itself a moment after the last line, and goes on after it was idle', async () => {
    const { writer, pieces, held, nextWrite } = slowWriter()
    const log = createAccessLog(writer)
    for (const written of [1, 2]) {
      log.append(testRecord(), NO_ROUTE_TEXT)
      await nextWrite()
      expect(lineCount(pieces)).toBe(written)
      held.pop()?.resolve()
    }
  })

  test('writes in UTF-8 what is not ASCII, and hands over no byte more or less than a line has', async () => {
    const pieces: string[] = []
    const log = createAccessLog({ write: keepIn(pieces) })
    const consumers = ['Zoë', '日本', '\u{1f511}'.repeat(30)]
    for (const consumer of consumers) log.append(testRecord({ consumer }), NO_ROUTE_TEXT)
    await log.close()
    const lines = pieces.join('').trimEnd().split('\n')
    expect(lines.map((line) => /"consumer":"([^"]*)"/.exec(line)?.[1])).toEqual(consumers)
  })

  test('has one write at a time, and drops and counts what comes while the output is blocked', async () => {
    const { writer, pieces, held } = slowWriter()
    let told = 0
    const log = createAccessLog({ ...writer, maxBytes: 400_000, dropped: (lines) => (told += lines) })
    for (let i = 0; i < 4000; i++) log.append(testRecord(), NO_ROUTE_TEXT)
    expect(held).toHaveLength(1)
    expect(log.dropped).toBeGreaterThan(1000)
    const kept = 4000 - log.dropped
    const flushed = log.flush()
    while (lineCount(pieces) < kept) {
      held.pop()?.resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
    held.pop()?.resolve()
    await flushed
    expect([lineCount(pieces), told]).toEqual([kept, log.dropped])
    log.append(testRecord(), NO_ROUTE_TEXT)
    expect(log.dropped).toBe(told)
  })

  test('counts the lines of a piece that could not be written, and writes the next', async () => {
    const { writer, pieces, held } = slowWriter()
    const log = createAccessLog(writer)
    log.append(testRecord(), NO_ROUTE_TEXT)
    const first = log.flush()
    held.pop()?.reject(new Error('no space left'))
    await first
    log.append(testRecord(), NO_ROUTE_TEXT)
    const second = log.flush()
    held.pop()?.resolve()
    await second
    expect([log.dropped, pieces.length]).toEqual([1, 2])
  })

  test('keeps no process alive', () => {
    const url = new URL('access-log.ts', import.meta.url).href
    const code = `const { createAccessLog } = await import('${url}')
      createAccessLog({ write: async (bytes) => bytes }).append(${JSON.stringify(testRecord())}, '')`
    const run = (): Buffer =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', code], { timeout: 10_000 })
    expect(run).not.toThrow()
  })
})

describe('pieces of several threads', () => {
  const work = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.url).then(async ({ createLogWriter }) => {
      const { write } = createLogWriter(workerData.output)
      for (let piece = 0; piece < 20; piece++) {
        const line = workerData.letter.repeat(99) + '\\n'
        await write(new TextEncoder().encode(line.repeat(700)))
      }
    })`

  async function writeFromThreads(open: () => LogOutput): Promise<void> {
    const workers = ['a', 'b', 'c'].map((letter) => {
      const output = open()
      const workerData = { letter, output, url: new URL('log-writer.ts', import.meta.url).href }
      return new Worker(work, { eval: true, workerData, transferList: typeof output === 'number' ? [] : [output] })
    })
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
  }

  function toPorts(fd: number): () => LogOutput {
    const writer = createFileWriter(fd)
    return () => openLogPort(writer)
  }

  function expectWholeLines(text: string): void {
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength(3 * 20 * 700)
    expect(lines.filter((line) => !/^(a{99}|b{99}|c{99})$/.test(line))).toEqual([])
  }

  test.each([
    ['each by itself', (fd: number) => () => fd],
    ['by way of the main thread', toPorts],
  ])('reach a file whole, %s', async (_, toOpener) => {
    const path = join(scratch, 'access.log')
    const fd = openSync(path, 'w')
    await writeFromThreads(toOpener(fd))
    closeSync(fd)
    expectWholeLines(readFileSync(path, 'utf8'))
  })

  test('do not go on within a line that a full disk cut off', () => {
    const path = join(scratch, 'full.log')
    const url = import.meta.url.replace('access-log.test.ts', 'log-writer.ts')
    const code = `
      const { openSync, truncateSync } = require('node:fs')
      import('${url}').then(async ({ createFileWriter }) => {
        const writer = createFileWriter(openSync('${path}', 'a'))
        const piece = (text) => new TextEncoder().encode(text)
        const cut = await writer.write(piece('a'.repeat(5000) + '\\n')).catch(({ code }) => code)
        truncateSync('${path}', 100)
        await writer.write(piece('b\\n'))
        await writer.write(piece('c\\n'))
        console.log(cut)
      })`
    // No file may grow beyond two blocks.
    const told = execFileSync('sh', ['-c', 'ulimit -f 2; exec "$0" --eval "$1"', process.execPath, code])
    expect(told.toString().trim()).toBe('EFBIG')
    expect(readFileSync(path, 'utf8')).toBe(`${'a'.repeat(100)}\nb\nc\n`)
  })

  test('reach a pipe whole whose reader is slow', async () => {
    // A process that writes from threads into its standard output, a pipe that is read with pauses.
    const url = import.meta.url.replace('access-log.test.ts', 'log-writer.ts')
    const code = `
      const { Worker } = require('node:worker_threads')
      import('${url}').then(({ shareOutput }) => {
        const open = shareOutput(process.stdout)
        for (const letter of ['a', 'b', 'c']) {
          const output = open()
          new Worker(${JSON.stringify(work)}, { eval: true, workerData: { letter, output, url: '${url}' }, transferList: [output] })
        }
      })`
    const child = spawn(process.execPath, ['--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    for await (const chunk of child.stdout) {
      text += String(chunk)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expectWholeLines(text)
  })

  test('tells the worker when the descriptor is gone', async () => {
    const fd = openSync(join(scratch, 'gone.log'), 'a')
    closeSync(fd)
    const port = openLogPort(createFileWriter(fd))
    await expect(createLogWriter(port).write(new TextEncoder().encode('x'))).rejects.toThrow('EBADF')
    port.close()
  })
})
