/** A child that answers each message with one of the same id, and may die at any time. */
import { fork, spawn, type ChildProcess } from 'node:child_process'

interface Reply {
  readonly id: number | 'ready'
  readonly error?: string
}

export class ChildLink {
  readonly process: ChildProcess
  private readonly waiting = new Map<Reply['id'], PromiseWithResolvers<void>>()
  private readonly exited: Promise<void>
  private errors = ''

  constructor(script: string, argument: object, tracer: readonly string[] = []) {
    const [command, ...flags] = tracer
    const args = [script, JSON.stringify(argument)]
    this.process =
      command === undefined
        ? fork(script, args.slice(1), { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
        : spawn(command, [...flags, process.execPath, ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.process.stderr?.on('data', (text) => (this.errors += String(text)))
    this.process.on('message', (reply: Reply) => this.settle(reply))
    this.exited = new Promise((resolve) => {
      this.process.once('error', (error) => {
        this.fail(String(error))
        resolve()
      })
      // Not `close`: a channel that this side disconnects keeps that from ever coming.
      this.process.once('exit', () => {
        this.fail(`The process ended. ${this.errors}`)
        resolve()
      })
    })
  }

  /** Resolves when it says that it is ready. */
  ready(): Promise<void> {
    return this.wait('ready')
  }

  ask<T extends { readonly id: number }>(message: T): Promise<void> {
    const answered = this.wait(message.id)
    if (!this.process.connected) this.fail('The process has ended.')
    else {
      this.process.send(message, (error) => {
        if (error) this.fail(String(error))
      })
    }
    return answered
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    // Under a tracer only that was killed; what it traced hears of it by this.
    if (this.process.connected) this.process.disconnect()
    await this.exited
  }

  /** Lets it finish and end by itself. */
  async end(): Promise<void> {
    if (this.process.connected) this.process.disconnect()
    await this.exited
  }

  private wait(id: Reply['id']): Promise<void> {
    const answer = Promise.withResolvers<void>()
    this.waiting.set(id, answer)
    return answer.promise
  }

  private settle({ id, error }: Reply): void {
    const answer = this.waiting.get(id)
    this.waiting.delete(id)
    if (error === undefined) answer?.resolve()
    else answer?.reject(new Error(error))
  }

  private fail(reason: string): void {
    for (const answer of this.waiting.values()) answer.reject(new Error(reason))
    this.waiting.clear()
  }
}
