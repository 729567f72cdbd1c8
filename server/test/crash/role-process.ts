/** The `headgate` command in a role of its own, for what kills it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

const command = join(import.meta.dirname, '../../src/bin/headgate.ts')

const LAST_LINES = 20

export class RoleProcess {
  private readonly process: ChildProcess
  private readonly exited: Promise<void>
  private errors = ''
  private heard = (): void => undefined

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.process.stderr?.on('data', (text) => {
      this.errors += String(text)
      this.heard()
    })
    this.exited = new Promise((resolve) => {
      this.process.once('exit', () => {
        resolve()
        this.heard()
      })
    })
  }

  /** The facts of the first event with this message; rejects when the process ended without it. */
  async event(message: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const whole = this.errors.slice(0, this.errors.lastIndexOf('\n') + 1)
      const line = whole.split('\n').find((each) => each.includes(`"msg":"${message}"`))
      if (line !== undefined) return JSON.parse(line) as Readonly<Record<string, unknown>>
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`The process ended and never said "${message}":\n${this.errors}`)
      await new Promise<void>((resolve) => (this.heard = resolve))
    }
  }

  /** How it stands and what it said last, for whoever finds that it does not do its work. */
  get lastWords(): string {
    const { exitCode, signalCode } = this.process
    const state = exitCode === null && signalCode === null ? 'runs' : `ended (${exitCode ?? signalCode})`
    return `it ${state}, and said last:\n${this.errors.split('\n').slice(-LAST_LINES).join('\n')}`
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.exited
  }
}
