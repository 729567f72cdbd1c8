/**
 * The processes of `headgate start`: each role is one, so that none takes another with it. One that dies is started
 * again, more and more slowly; stopping goes in the reverse order of starting.
 */
import { fork, type ChildProcess } from 'node:child_process'
import type { Log } from '../kernel/log.ts'

/** What a role says to its parent once it serves, and on being asked. */
export type FromRole =
  | { readonly kind: 'ready'; readonly port: number; readonly token?: string | undefined; readonly isNew?: boolean }
  | { readonly kind: 'join-token'; readonly token: string }

export type Ready = Extract<FromRole, { kind: 'ready' }>

export interface RoleOptions {
  readonly name: string
  /** The file and arguments that run it. */
  readonly file: string
  readonly args: readonly string[]
  /** What Node is given besides what this process was given. */
  readonly nodeFlags?: readonly string[]
  /** Asked before each start, because ports are only known then. */
  readonly environment: () => Promise<Readonly<Record<string, string | undefined>>>
  readonly log: Log
}

const MOST_PAUSE_MS = 10_000
/** One that lived so long has not failed at starting. */
const STEADY_MS = 60_000
/** A drain ends by itself before that. */
const STOP_LIMIT_MS = 90_000

export class Role {
  private readonly options: RoleOptions
  private child: ChildProcess | undefined
  private failures = 0
  private stopping = false
  private timer: NodeJS.Timeout | undefined

  constructor(options: RoleOptions) {
    this.options = options
  }

  /** Resolves when the role serves; rejects when it ends before, which it has said why. */
  async start(): Promise<Ready> {
    const { file, args, name, nodeFlags = [] } = this.options
    const env = await this.options.environment()
    const child = fork(file, [...args], {
      env: { ...env },
      execArgv: [...process.execArgv, ...nodeFlags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // A group of its own: Ctrl-C reaches it once, through this process; a second signal would cut its drain short.
      detached: process.platform !== 'win32',
    })
    this.child = child
    const startedAtMs = performance.now()
    return new Promise((resolve, reject) => {
      child.on('message', (message: FromRole) => {
        if (message.kind === 'ready') resolve(message)
      })
      child.on('error', (cause) => {
        // One that could not be started never exits.
        if (child.pid === undefined) this.child = undefined
        reject(cause)
      })
      child.once('exit', (code, signal) => {
        this.child = undefined
        reject(new Error(`${name} ended (${signal ?? `exit code ${code}`})`))
        if (performance.now() - startedAtMs > STEADY_MS) this.failures = 0
      })
    })
  }

  /** From now on it is started again when it ends. */
  keep(): void {
    this.child?.once('exit', (code, signal) => this.restart(signal ?? `exit code ${code}`))
  }

  /** Asks the role for a message of a kind. */
  ask<Kind extends FromRole['kind']>(kind: Kind): Promise<Extract<FromRole, { kind: Kind }>> {
    const { child } = this
    if (child === undefined) return Promise.reject(new Error(`${this.options.name} does not run`))
    return new Promise((resolve, reject) => {
      const hear = (message: FromRole): void => {
        if (message.kind !== kind) return
        child.off('message', hear)
        // Its kind is the one that was asked for.
        resolve(message as Extract<FromRole, { kind: Kind }>)
      }
      child.on('message', hear)
      child.once('exit', () => reject(new Error(`${this.options.name} ended before it answered`)))
      child.send({ kind })
    })
  }

  /** Resolves when the role is gone. */
  async stop(): Promise<void> {
    this.stopping = true
    clearTimeout(this.timer)
    const { child } = this
    if (child === undefined) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    await gone
    clearTimeout(late)
  }

  private restart(how: string): void {
    if (this.stopping) return
    const { log, name } = this.options
    this.failures++
    const pauseMs = this.failures === 1 ? 0 : Math.min(MOST_PAUSE_MS, 100 * 2 ** this.failures)
    log.error({ role: name, how, pauseMs }, 'a role ended and is started again')
    this.timer = setTimeout(() => {
      if (this.stopping) return
      this.start().then(
        () => this.keep(),
        () => this.restart('before it served'),
      )
    }, pauseMs)
  }
}
