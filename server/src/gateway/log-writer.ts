/**
 * Where pieces of the access log go. A regular file takes each write whole as long as its disk has room, one after the
 * other, whoever writes, so each thread writes its own. On a pipe they would tear each other's lines: only writes up to PIPE_BUF (4 KiB on Linux) are
 * atomic there, and larger ones are not even whole when the reader is slow. There the main thread alone writes, and worker
 * threads hand it theirs: the memory moves over without a copy, but waking the main thread is 2.6 % of all work under load.
 * What a worker has handed over is written whole even if it dies.
 */
import { fstatSync, write } from 'node:fs'
import type { Writable } from 'node:stream'
import { MessageChannel, type MessagePort } from 'node:worker_threads'

export interface LogWriter {
  /**
   * Resolves when all bytes are written, after those of earlier calls, with their memory: it is the writer's until then,
   * and may serve for the next piece.
   */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
}

/** A descriptor of a file, pipe or terminal that does not block tells that it is full; it is asked again after this. */
const FIRST_RETRY_MS = 2
const MAX_RETRY_MS = 100

/** What a worker's pieces go to: the descriptor of a file, or the way to the main thread. */
export type LogOutput = number | MessagePort

/** Makes an output for each worker, all of them standard output, whatever it is. */
export function shareOutput(stream: Writable & { readonly fd: number }): () => LogOutput {
  const facts = fstatSync(stream.fd)
  if (facts.isFile()) return () => stream.fd
  // A pipe is written by its stream, which waits in the event loop: a call that waits for a reader in another thread
  // could not be broken off, and the process would not end before it.
  const writer = facts.isFIFO() || facts.isSocket() ? createStreamWriter(stream) : createFileWriter(stream.fd)
  return () => openLogPort(writer)
}

/** The worker's end. */
export function createLogWriter(output: LogOutput): LogWriter {
  return typeof output === 'number' ? createFileWriter(output) : createPortWriter(output)
}

function createStreamWriter(stream: Writable): LogWriter {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error === null || error === undefined ? resolve(bytes) : reject(error)))
      }),
  }
}

/** Writes to a file descriptor. */
export function createFileWriter(fd: number): LogWriter {
  let last: Promise<unknown> = Promise.resolve()
  let hasTorn = false
  const writeNext = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    // A full disk cut the last piece off within a line, which the next one must not go on with.
    if (hasTorn) await writeAll(fd, LINE_FEED, () => undefined)
    hasTorn = false
    await writeAll(fd, bytes, (written) => (hasTorn = written > 0 && bytes[written - 1] !== LINE_FEED[0]))
    return bytes
  }
  return {
    write(bytes) {
      const written = last.then(() => writeNext(bytes))
      // The next piece is tried even if this one failed.
      last = written.catch(() => undefined)
      return written
    },
  }
}

const LINE_FEED = Uint8Array.of(10)

/** Throws when the descriptor takes no more, and tells then how many bytes it took. */
async function writeAll(fd: number, bytes: Uint8Array, failed: (writtenBytes: number) => void): Promise<void> {
  let offset = 0
  let retryMs = FIRST_RETRY_MS
  while (offset < bytes.length) {
    const count = await writeSome(fd, bytes, offset).catch((cause: unknown) => {
      failed(offset)
      throw cause
    })
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

/** Hands pieces to the main thread, one at a time. Their memory moves there and back. */
function createPortWriter(port: MessagePort): LogWriter {
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

/** Makes a worker's port, whose other end the main thread serves until it closes. */
export function openLogPort(writer: LogWriter): MessagePort {
  const { port1: port, port2 } = new MessageChannel()
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
  return port2
}
