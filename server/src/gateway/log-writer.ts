/**
 * Where pieces of the access log go. Threads that wrote to one pipe themselves would tear each other's lines: only writes
 * up to PIPE_BUF (4 KiB on Linux) are atomic there, and larger ones are not even whole when the reader is slow. So the
 * main thread alone writes, one piece after the other, and worker threads hand it theirs: the memory moves over without
 * a copy, which costs less than 0.1 µs for each line. What a worker has handed over is written whole even if it dies.
 */
import { fstatSync, write } from 'node:fs'
import type { Writable } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'

export interface LogWriter {
  /** Resolves when all bytes are written, after those of earlier calls; the bytes are the writer's from now on. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>
}

/** A descriptor of a file, pipe or terminal that does not block tells that it is full; it is asked again after this. */
const FIRST_RETRY_MS = 2
const MAX_RETRY_MS = 100

/**
 * Writes to standard output, whatever it is. A pipe is written by its stream, which waits in the event loop: a call that
 * waits for a reader in another thread could not be broken off, and the process would not end before it.
 */
export function createOutputWriter(stream: Writable & { readonly fd: number }): LogWriter {
  const facts = fstatSync(stream.fd)
  return facts.isFIFO() || facts.isSocket() ? createStreamWriter(stream) : createFileWriter(stream.fd)
}

function createStreamWriter(stream: Writable): LogWriter {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)))
      }),
  }
}

/** Writes to a file descriptor. */
export function createFileWriter(fd: number): LogWriter {
  let last: Promise<void> = Promise.resolve()
  return {
    write(bytes) {
      const written = last.then(() => writeAll(fd, bytes))
      // The next piece is tried even if this one failed.
      last = written.catch(() => undefined)
      return written
    },
  }
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  let offset = 0
  let retryMs = FIRST_RETRY_MS
  while (offset < bytes.length) {
    const count = await writeSome(fd, bytes, offset)
    offset += count
    if (count > 0) {
      retryMs = FIRST_RETRY_MS
      continue
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs))
    retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)
  }
}

/** How many bytes the descriptor took; 0 when it is full. */
function writeSome(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, offset, bytes.length - offset, null, (error, count) => {
      if (error === null) resolve(count)
      else if (error.code === 'EAGAIN' || error.code === 'EINTR') resolve(0)
      else reject(error)
    })
  })
}

/** What the main thread answers to a piece: its memory, to be used again, and why it is not written if it is not. */
interface Outcome {
  readonly memory: Uint8Array<ArrayBuffer>
  readonly failure: string | undefined
}

export interface PortWriter {
  /** Resolves when the bytes are written, with their memory: it moves there and back, so nobody's garbage grows. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
}

/** The worker's end: hands pieces to the main thread, one at a time. */
export function createPortWriter(port: MessagePort): PortWriter {
  let settle: ((outcome: Outcome) => void) | undefined
  port.on('message', (outcome: Outcome) => settle?.(outcome))
  // Only a piece under way is a reason for the thread to live.
  port.unref()
  return {
    write(bytes) {
      port.ref()
      port.postMessage(bytes, [bytes.buffer])
      return new Promise((resolve, reject) => {
        settle = ({ memory, failure }) => {
          port.unref()
          if (failure === undefined) resolve(memory)
          else reject(new Error(failure))
        }
      })
    },
  }
}

/** The main thread's end of a worker's port; closes with it. */
export function serveLogPort(port: MessagePort, writer: LogWriter): void {
  port.on('message', (bytes: Uint8Array<ArrayBuffer>) => {
    const answer = (failure: string | undefined): void => {
      const outcome: Outcome = { memory: bytes, failure }
      port.postMessage(outcome, [bytes.buffer])
    }
    writer.write(bytes).then(
      () => answer(undefined),
      (cause: unknown) => answer(String(cause)),
    )
  })
  port.unref()
}
