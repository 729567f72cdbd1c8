/**
 * Compiles a configuration in a process of its own: neither serving nor health answers wait for it, and the hundreds of
 * megabytes that thousands of routes take for a moment go back to the system with it.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { getPriority, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { CompileOrder, FromCompileChild } from '../../config/compile-child.ts'
import { readStates, type FileStates } from '../../config/file-states.ts'
import { unpackLines } from '../../kernel/snapshot-delivery.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'
import type { CompileOutcome } from './config-source.ts'

/** Traffic comes first, also where both share one core; a fifth of a share still makes a change live in seconds. */
const NICENESS = 6
/** Far more than 5,000 routes need; a configuration that exceeds it is refused. */
const MAX_HEAP_MB = 2_048
const NODE_FLAGS = [
  `--max-old-space-size=${MAX_HEAP_MB}`,
  // A roomy young generation halves the time that collecting garbage takes of a large file.
  '--max-semi-space-size=32',
  // Nor is anything gained by looking through what a process of one second keeps until its end.
  '--initial-old-space-size=256',
  // Each thread that helps to collect is one more to wait for, for a thread that serves on the same core.
  '--single-threaded-gc',
  '--v8-pool-size=1',
]

/** The end of what it said before it died. */
const MAX_COMPLAINT_CHARS = 4_096
/** Far more than 5,000 routes need beside traffic. */
const TIME_LIMIT_MS = 120_000

type Refusal = Extract<CompileOutcome, { kind: 'refused' }>

const NO_LINES: ReadonlyMap<string, string> = new Map()

export interface CompileTerms {
  /** Lines that are the same stay the same strings: what did not change is kept once. */
  readonly known?: ReadonlyMap<string, string> | undefined
  readonly timeLimitMs?: number
  /** Ends the process; then it rejects with the reason of that. */
  readonly stopped?: AbortSignal | undefined
}

/** Resolves with the compiled snapshot or what is wrong with the files; rejects when compiling itself failed. */
export function compileInChild(
  order: CompileOrder,
  { known = NO_LINES, timeLimitMs = TIME_LIMIT_MS, stopped }: CompileTerms = {},
): Promise<CompileOutcome> {
  return new Promise((resolve, reject) => {
    const before = readStates([order.path])
    const child = startChild()
    let complaint = ''
    child.stderr?.on('data', (text) => (complaint = (complaint + String(text)).slice(-MAX_COMPLAINT_CHARS)))
    let told = false
    const late = setTimeout(() => {
      told = true
      child.kill('SIGKILL')
      resolve(toTimeRefusal(order.path, before, timeLimitMs))
    }, timeLimitMs)
    const stop = (): void => {
      told = true
      child.kill('SIGKILL')
      reject(stopped?.reason)
    }
    stopped?.addEventListener('abort', stop)
    const lines = new Map<string, string>()
    child.on('message', (message: FromCompileChild) => {
      if (message.kind === 'lines') return takeLines(message.piece, known, lines)
      told = true
      resolve(message.kind === 'compiled' ? { ...message, lines } : message)
    })
    // Every time: what nobody hears ends this process. One that cannot be started says so, and again when it is written to.
    child.on('error', reject)
    // Not when it exits: what it said last may still be to be read.
    child.once('close', (code, signal) => {
      clearTimeout(late)
      stopped?.removeEventListener('abort', stop)
      if (told) return
      // V8 aborts a process that has used up its heap, and says so on standard error.
      if (signal === 'SIGABRT' || code === 134) resolve(toMemoryRefusal(order.path, before))
      else
        reject(new Error(`the process that compiles the configuration ended early (${signal ?? code}): ${complaint}`))
    })
    if (child.pid !== undefined) child.send(order)
  })
}

function startChild(): ChildProcess {
  const child = fork(fileURLToPath(toThreadUrl('../../config/compile-child', import.meta.url)), {
    execArgv: NODE_FLAGS,
    serialization: 'advanced',
    // A standard error that it inherits would wait for its reader from then on, in this process too.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  // Less than this process has may be asked for by the superuser alone, and what is refused throws.
  if (child.pid !== undefined) setPriority(child.pid, Math.max(NICENESS, getPriority()))
  return child
}

function takeLines(piece: Uint8Array, known: ReadonlyMap<string, string>, lines: Map<string, string>): void {
  for (const { key, line } of unpackLines(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))) {
    const same = known.get(key)
    lines.set(key, same === line ? same : line)
  }
}

function toMemoryRefusal(file: string, watched: FileStates): Refusal {
  return toRefusal(file, watched, `the configuration needs more than ${MAX_HEAP_MB} MB of memory to be read`)
}

function toTimeRefusal(file: string, watched: FileStates, timeLimitMs: number): Refusal {
  return toRefusal(file, watched, `the configuration takes more than ${timeLimitMs / 1000} seconds to be read`)
}

function toRefusal(file: string, watched: FileStates, message: string): Refusal {
  const hint = 'Divide it among several gateways.'
  return {
    kind: 'refused',
    issues: [{ file, line: 1, column: 1, path: '', message, hint, other: undefined }],
    watched,
  }
}
