/**
 * Precedence over the other sessions of this machine while a slice of latency lasts, for the gateway as for the load: one
 * percent of requests is what a shell or a kernel thread delays that runs for three milliseconds now and then. Linux shares
 * processors among sessions first (`sched(7)`, autogroups), so that niceness alone would change nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const sessionFile = '/proc/self/autogroup'
let ordinary: string | undefined

/** Takes it; without the right or such a kernel everything stays as it is. */
export function takePrecedence(): void {
  try {
    ordinary ??= / nice (-?\d+)/.exec(readFileSync(sessionFile, 'utf8'))?.[1]
    writeFileSync(sessionFile, '-20')
  } catch {
    // Then other sessions are part of the noise, and the generator's stalls and the A/A row tell of it.
  }
}

export function givePrecedenceBack(): void {
  if (ordinary === undefined) return
  try {
    writeFileSync(sessionFile, ordinary)
  } catch {
    // What could not be taken need not be given back.
  }
}

// The session is the caller's own, and goes on after an interrupted bench.
process.once('exit', givePrecedenceBack)
