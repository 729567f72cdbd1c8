/**
 * Starts the processes of a bench, pins them to a core, and reads from the kernel what they cost: processor time of all
 * threads and children (schedstat, nanoseconds) and resident memory.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Launch {
  name: string
  command: string
  args: string[]
  core: number
  /** Its standard output is appended to this file; errors go to `<name>.err` beside it. */
  stdoutFile: string
  stderrFile: string
  env?: Record<string, string>
}

export interface Started {
  name: string
  pid: number
  hasEnded: () => boolean
  stop: () => Promise<void>
}

const running = new Set<ChildProcess>()

/** Nothing that a bench started outlives it, also when it is interrupted. */
export function killEverythingStarted(): void {
  // A master that is killed leaves its workers behind, so the whole tree goes.
  const trees = [...running].flatMap(({ pid }) => (pid === undefined ? [] : processTree(pid)))
  for (const pid of trees) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

const fileLimit = 40_000
let canRaiseFileLimit: boolean | undefined

/** 10,000 idle connections need more descriptors than many machines allow; whoever may raise the limit does. */
function withFileLimit(command: string[]): string[] {
  if (openFileLimit() >= fileLimit) return command
  const raise = ['prlimit', `--nofile=${fileLimit}:${fileLimit}`]
  canRaiseFileLimit ??= spawnSync('prlimit', [...raise.slice(1), 'true']).status === 0
  return canRaiseFileLimit ? [...raise, ...command] : command
}

/** How many descriptors a process started from here may open. */
export function openFileLimit(): number {
  const line = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
  return Number(line?.[1] ?? 0)
}

/** Pins a command to one core; `taskset` replaces itself, so the pid is the command's own. */
export function startProcess(launch: Launch): Started {
  const stdout = openSync(launch.stdoutFile, 'a')
  const stderr = openSync(launch.stderrFile, 'a')
  const [command = '', ...args] = withFileLimit(['taskset', '-c', String(launch.core), launch.command, ...launch.args])
  const child = spawn(command, args, { stdio: ['ignore', stdout, stderr], env: { ...process.env, ...launch.env } })
  closeSync(stdout)
  closeSync(stderr)
  running.add(child)
  let ended = false
  const exit = new Promise<void>((resolve) => {
    const finish = (): void => {
      ended = true
      running.delete(child)
      resolve()
    }
    child.once('exit', finish)
    child.once('error', finish)
  })
  return {
    name: launch.name,
    pid: child.pid ?? -1,
    hasEnded: () => ended,
    stop: async () => {
      if (ended) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exit
      clearTimeout(timer)
    },
  }
}

/** Runs a command to its end and returns what it printed; the text is empty when the command does not exist. */
export function commandOutput(command: string, args: string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  return `${result.stdout ?? ''}${result.stderr ?? ''}`.trim()
}

/** Whether a command can be started at all. */
export function hasCommand(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v "${command}"`]).status === 0
}

/** A port that was free a moment ago, chosen by the kernel. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no port.')
  return address.port
}

/** Waits until somebody accepts connections on the port, or throws with what the process said. */
export async function waitForPort(
  port: number,
  started: Started,
  stderrFile: string,
  timeoutMs = 180_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    if (started.hasEnded()) break
    if (await accepts(port)) return
    await sleep(50)
  }
  throw new Error(`${started.name} does not listen on port ${port}. It said:\n${lastWords(stderrFile)}`)
}

/** The end of what a process wrote to its standard error. */
export function lastWords(stderrFile: string): string {
  return readFileSync(stderrFile, 'utf8').trim().split('\n').slice(-12).join('\n')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The process and all its descendants. The tree is read from every `/proc/PID/stat`, since not every kernel lists children. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const stat = readOrEmpty(`/proc/${name}/stat`)
    parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const tree = [root]
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  return tree
}

/** Processor time in nanoseconds of every thread of these processes since they started. */
export function cpuNanoseconds(pids: number[]): number {
  let total = 0
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) {
      total += Number(readOrEmpty(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] || 0)
    }
  }
  return total
}

/** Resident memory in bytes, children included. */
export function residentBytes(pids: number[]): number {
  let total = 0
  for (const pid of pids) {
    total += Number(/^VmRSS:\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
  }
  return total
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    // The process has ended meanwhile; it costs nothing any more.
    return []
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Threads and processes come and go while we read.
    return ''
  }
}
