/**
 * Compiles a configuration in a process of its own: neither serving nor health answers wait for it, and the hundreds of
 * megabytes that thousands of routes take for a moment go back to the system with it.
 */
import { fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { CompileOrder, CompileOutcome } from '../../config/compile-child.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'

/** Traffic comes first, also where both share one core; a third of a share still makes a change live in seconds. */
const NICENESS = 5
/** Far more than 5,000 routes need; a configuration that exceeds it is refused. */
const MAX_HEAP_MB = 2_048
/** A roomy young generation halves the time that collecting garbage takes of a large file. */
const V8_FLAGS = [`--max-old-space-size=${MAX_HEAP_MB}`, '--max-semi-space-size=32']

/** The end of what it said before it died. */
const MAX_COMPLAINT_CHARS = 4_096
/** Far more than 5,000 routes need beside traffic. */
const TIME_LIMIT_MS = 120_000

/** Resolves with the compiled snapshot or what is wrong with the files; rejects when compiling itself failed. */
export function compileInChild(order: CompileOrder, timeLimitMs = TIME_LIMIT_MS): Promise<CompileOutcome> {
  return new Promise((resolve, reject) => {
    const entry = fileURLToPath(toThreadUrl('../../config/compile-child', import.meta.url))
    const child = fork(entry, {
      execArgv: V8_FLAGS,
      serialization: 'advanced',
      // A standard error that it inherits would wait for its reader from then on, in this process too.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let complaint = ''
    child.stderr?.on('data', (text) => (complaint = (complaint + String(text)).slice(-MAX_COMPLAINT_CHARS)))
    if (child.pid !== undefined) setPriority(child.pid, NICENESS)
    let told = false
    const late = setTimeout(() => {
      told = true
      child.kill('SIGKILL')
      resolve(toTimeRefusal(order.path, timeLimitMs))
    }, timeLimitMs)
    child.once('message', (outcome: CompileOutcome) => {
      told = true
      resolve(outcome)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(late)
      if (told) return
      // V8 aborts a process that has used up its heap, and says so on standard error.
      if (signal === 'SIGABRT' || code === 134) resolve(toMemoryRefusal(order.path))
      else
        reject(new Error(`the process that compiles the configuration ended early (${signal ?? code}): ${complaint}`))
    })
    child.send(order)
  })
}

function toMemoryRefusal(file: string): CompileOutcome {
  return toRefusal(file, `the configuration needs more than ${MAX_HEAP_MB} MB of memory to be read`)
}

function toTimeRefusal(file: string, timeLimitMs: number): CompileOutcome {
  return toRefusal(file, `the configuration takes more than ${timeLimitMs / 1000} seconds to be read`)
}

function toRefusal(file: string, message: string): CompileOutcome {
  const hint = 'Divide it among several gateways.'
  return {
    kind: 'refused',
    issues: [{ file, line: 1, column: 1, path: '', message, hint, other: undefined }],
    watched: [file],
  }
}
