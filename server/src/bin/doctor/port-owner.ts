/** Who listens on a port of this machine, as Linux tells it; elsewhere nobody knows. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface PortOwner {
  readonly pid: number
  readonly command: string
}

/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A'

export function findPortOwner(port: number): PortOwner | undefined {
  const inodes = new Set([...inodesOf('/proc/net/tcp', port), ...inodesOf('/proc/net/tcp6', port)])
  if (inodes.size === 0) return undefined
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const holds = list(`/proc/${pid}/fd`).some((fd) => inodes.has(readLink(`/proc/${pid}/fd/${fd}`)))
    if (holds) return { pid: Number(pid), command: commandOf(pid) }
  }
  return undefined
}

function inodesOf(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readOr(table)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(suffix) && state === LISTENING)
    .map((columns) => `socket:[${columns[9] ?? ''}]`)
}

function commandOf(pid: string): string {
  const words = readOr(`/proc/${pid}/cmdline`).split('\0').filter(Boolean)
  return words.join(' ') || readOr(`/proc/${pid}/comm`).trim()
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // Processes end, and those of others may not be looked into.
    return []
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed since the folder was listed.
    return ''
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not Linux, or the process has ended.
    return ''
  }
}
