import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { testRecord } from '../../test/test-record.ts'
import { toLogLine } from './access-log-line.ts'
import { createAccessLog } from './access-log.ts'
import { createFileWriter, createPortWriter, serveLogPort, type LogWriter } from './log-writer.ts'

const scratch = mkdtempSync(join(tmpdir(), 'headgate-log-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('a line', () => {
  test('has what the record says, times in UTC and milliseconds with three digits', () => {
    const record = testRecord({ durationMs: 1234.0004, upstreamMs: 0.0456, traceId: 'f'.repeat(32) })
    const line = toLogLine(record)
    expect(line.endsWith('}\n')).toBe(true)
    const { timeMs: _timeMs, problem: _problem, blame: _blame, ...facts } = record
    const time = '2026-01-01T00:00:00.000Z'
    expect(JSON.parse(line)).toEqual({ ...facts, time, durationMs: 1234, upstreamMs: 0.046 })
  })

  test('leaves out what there was not: a route, a caller, an upstream, a trace', () => {
    const none = { route: '', api: '', consumer: '', credential: '', upstream: '', target: '', attempts: 0 }
    const line = JSON.parse(
      toLogLine(testRecord({ ...none, status: 404, problem: 'route.not_found', blame: 'caller' })),
    )
    expect(Object.keys(line)).toEqual(
      'time id ip version method host path status problem blame durationMs requestBytes responseBytes'.split(' '),
    )
    expect(JSON.parse(toLogLine(testRecord({ ...none, status: 499, blame: 'caller' })))).toMatchObject({
      blame: 'caller',
    })
  })

  test('is one line of JSON that gives back every text, whatever a client put into it', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
        fc.constantFrom('"', '\\', '\n', '\0', '\u2028', '\ud800', '\udfff', 'é'),
      ),
    })
    const some = text.filter((each) => each !== '')
    const texts = fc.record({
      id: text,
      ip: text,
      method: text,
      host: text,
      path: text,
      route: some,
      api: text,
      consumer: some,
      credential: text,
      problem: some,
      upstream: some,
      target: text,
      traceId: some,
    })
    fc.assert(
      fc.property(
        texts,
        fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
        (facts, date) => {
          const line = toLogLine(testRecord({ ...facts, timeMs: date.getTime() }))
          expect(line.indexOf('\n')).toBe(line.length - 1)
          expect(JSON.parse(line)).toMatchObject({ ...facts, time: date.toISOString() })
        },
      ),
    )
  })
})

/** A writer that takes pieces only when it is let. */
function slowWriter() {
  const pieces: string[] = []
  const held: { resolve(): void; reject(cause: Error): void }[] = []
  let called = Promise.withResolvers<void>()
  const writer: LogWriter = {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        pieces.push(Buffer.from(bytes).toString())
        held.push({ resolve, reject })
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

const lineCount = (pieces: readonly string[]): number => pieces.join('').split('\n').length - 1

describe('the access log', () => {
  test('writes what was appended, in order, also what fills no piece', async () => {
    const pieces: string[] = []
    const log = createAccessLog({ write: async (bytes) => void pieces.push(Buffer.from(bytes).toString()) })
    for (let i = 0; i < 4000; i++) log.append(testRecord({ path: `/${i}` }))
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
      log.append(testRecord())
      await nextWrite()
      expect(lineCount(pieces)).toBe(written)
      held.pop()?.resolve()
    }
  })

  test('has one write at a time, and drops and counts what comes while the output is blocked', async () => {
    const { writer, pieces, held } = slowWriter()
    let told = 0
    const log = createAccessLog({ ...writer, maxChars: 400_000, dropped: (lines) => (told += lines) })
    for (let i = 0; i < 4000; i++) log.append(testRecord())
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
    log.append(testRecord())
    expect(log.dropped).toBe(told)
  })

  test('counts the lines of a piece that could not be written, and writes the next', async () => {
    const { writer, pieces, held } = slowWriter()
    const log = createAccessLog(writer)
    log.append(testRecord())
    const first = log.flush()
    held.pop()?.reject(new Error('no space left'))
    await first
    log.append(testRecord())
    const second = log.flush()
    held.pop()?.resolve()
    await second
    expect([log.dropped, pieces.length]).toEqual([1, 2])
  })

  test('keeps no process alive', () => {
    const url = new URL('access-log.ts', import.meta.url).href
    const code = `const { createAccessLog } = await import('${url}')
      createAccessLog({ write: async () => {} }).append(${JSON.stringify(testRecord())})`
    const run = (): Buffer =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', code], { timeout: 10_000 })
    expect(run).not.toThrow()
  })
})

describe('pieces of several threads', () => {
  const work = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.url).then(async ({ createPortWriter }) => {
      const { write } = createPortWriter(workerData.port)
      for (let piece = 0; piece < 20; piece++) {
        const line = workerData.letter.repeat(99) + '\\n'
        await write(new TextEncoder().encode(line.repeat(700)))
      }
    })`

  async function writeFromThreads(fd: number): Promise<void> {
    const writer = createFileWriter(fd)
    const workers = ['a', 'b', 'c'].map((letter) => {
      const { port1, port2 } = new MessageChannel()
      serveLogPort(port1, writer)
      const workerData = { letter, port: port2, url: new URL('log-writer.ts', import.meta.url).href }
      return new Worker(work, { eval: true, workerData, transferList: [port2] })
    })
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
  }

  function expectWholeLines(text: string): void {
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength(3 * 20 * 700)
    expect(lines.filter((line) => !/^(a{99}|b{99}|c{99})$/.test(line))).toEqual([])
  }

  test('reach a file whole', async () => {
    const path = join(scratch, 'access.log')
    const fd = openSync(path, 'a')
    await writeFromThreads(fd)
    closeSync(fd)
    expectWholeLines(readFileSync(path, 'utf8'))
  })

  test('reach a pipe whole whose reader is slow', async () => {
    // A process that writes from threads into its standard output, a pipe that is read with pauses.
    const url = import.meta.url.replace('access-log.test.ts', 'log-writer.ts')
    const code = `
      const { Worker, MessageChannel } = require('node:worker_threads')
      import('${url}').then(({ createFileWriter, serveLogPort }) => {
        const writer = createFileWriter(1)
        for (const letter of ['a', 'b', 'c']) {
          const { port1, port2 } = new MessageChannel()
          serveLogPort(port1, writer)
          new Worker(${JSON.stringify(work)}, { eval: true, workerData: { letter, port: port2, url: '${url}' }, transferList: [port2] })
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
    const { port1, port2 } = new MessageChannel()
    serveLogPort(port1, createFileWriter(fd))
    await expect(createPortWriter(port2).write(new TextEncoder().encode('x'))).rejects.toThrow('EBADF')
    port1.close()
  })
})
