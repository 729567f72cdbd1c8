/** What all roles need to run as a process: signals, and sentences for ports that cannot be had. */
import type { FromRole } from './process-tree.ts'

/** To the process that started this one as a role of its tree; to nobody when there is none. */
export function tellParent(message: FromRole): void {
  process.send?.(message)
}

/**
 * Resolves when npm, which started this process, is gone: it passes SIGTERM to the shell between the two, which dies
 * without passing it on.
 */
export function orphaned(): Promise<void> {
  const parent = process.ppid
  if (process.env['npm_lifecycle_event'] === undefined) return new Promise(() => undefined)
  return new Promise((resolve) => {
    const looking = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(looking)
      resolve()
    }, 500).unref()
  })
}

/** Resolves when the process is told to stop; a second signal ends it at once. */
export function stopSignal(reload: () => void): Promise<void> {
  process.on('SIGHUP', reload)
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.off(signal, stop)
        process.once(signal, () => process.exit(1))
      }
      resolve()
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
}

/** Lines that still wait so long after the end have no reader; they hold up nothing. */
const LAST_LINES_MS = 2_000

/** Ends the process, whose work is done, even if somebody holds its output and does not read it. */
export function endSoon(): void {
  setTimeout(() => process.exit(), LAST_LINES_MS).unref()
}

interface ListenError extends Error {
  readonly code: string
  readonly port: number
}

export function isListenError(error: unknown): error is ListenError {
  return (
    error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'port' in error && 'code' in error
  )
}

export function toListenSentence({ code, port }: ListenError): string {
  if (code === 'EADDRINUSE') return `Port ${port} is taken. Stop what listens there, or choose another port.`
  if (code === 'EACCES') return `Port ${port} may not be opened by this user. Choose one above 1023.`
  return `Port ${port} could not be opened (${code}).`
}
