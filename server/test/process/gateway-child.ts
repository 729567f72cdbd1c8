/** A gateway as operators run it: the command in a process of its own, with files that a test writes and changes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request as sendRequest, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { stringify } from 'yaml'

const command = join(import.meta.dirname, '../../src/bin/headgate.ts')

/** Compiled modules, so that all but the first of a file's gateways start fast. */
const dataDir = mkdtempSync(join(tmpdir(), 'headgate-data-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

export interface ChildEvent {
  readonly msg: string
  readonly [fact: string]: unknown
}

export interface ChildOptions {
  readonly document?: object
  /** Path of the configuration instead of a file that is written. */
  readonly configPath?: string
  readonly flags?: readonly string[]
  /** The whole command line, of any role, instead of that of a gateway on a file. */
  readonly command?: readonly string[]
  readonly nodeFlags?: readonly string[]
  /** The access log is not read when it is held. */
  readonly stdout?: 'read' | 'held'
  /** Neither are the events, once the gateway is ready. */
  readonly stderr?: 'read' | 'held'
}

export class GatewayChild {
  readonly process: ChildProcess
  readonly folder: string
  /** Exit code; undefined when a signal ended it. */
  readonly exited: Promise<number | undefined>
  /** All that it wrote to standard output and error. */
  output = ''
  errors = ''
  private readonly events: ChildEvent[] = []
  private readonly given = new Set<ChildEvent>()
  private readonly changed = new Set<() => void>()

  constructor(options: ChildOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'headgate-child-'))
    if (options.document !== undefined) this.write(options.document)
    const ports = ['--gateway-port', '0', '--gateway-tls-port', '0', '--metrics-port', '0', '--bind', '127.0.0.1']
    const own = ['--config', options.configPath ?? this.configPath, '--data-dir', dataDir, '--workers', '2']
    const flags = options.command ?? ['gateway', ...ports, ...own, ...(options.flags ?? [])]
    this.process = spawn(process.execPath, [...(options.nodeFlags ?? []), command, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (options.stdout !== 'held') this.process.stdout?.on('data', (text) => (this.output += String(text)))
    this.process.stderr?.on('data', (text) => this.read(String(text)))
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code) => {
        resolve(code ?? undefined)
        this.tell()
      })
    })
    onTestFinished(async () => {
      this.process.kill('SIGKILL')
      await this.exited
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  get configPath(): string {
    return join(this.folder, 'headgate.yaml')
  }

  /** Replaces the configuration as careful tools do: at once, by a rename. */
  write(document: object | string): void {
    const next = `${this.configPath}.next`
    writeFileSync(next, typeof document === 'string' ? document : stringify(document))
    renameSync(next, this.configPath)
  }

  /** The next event with this message, past or future; each is given once. */
  async event(message: string): Promise<ChildEvent> {
    for (;;) {
      const found = this.events.find((each) => each.msg === message && !this.given.has(each))
      if (found !== undefined) {
        this.given.add(found)
        return found
      }
      if (this.process.exitCode !== null)
        throw new Error(`The gateway ended and never said "${message}":\n${this.errors}`)
      await new Promise<void>((resolve) => this.changed.add(resolve))
    }
  }

  private read(text: string): void {
    const from = this.errors.lastIndexOf('\n') + 1
    this.errors += text
    const lines = this.errors.slice(from).split('\n').slice(0, -1)
    for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line))
    this.tell()
  }

  private tell(): void {
    for (const resolve of this.changed) resolve()
    this.changed.clear()
  }
}

export interface RunningChild extends GatewayChild {
  readonly port: number
  readonly metricsPort: number
}

/** Starts one and waits until it serves; it ends with the test. */
export async function startGateway(options: ChildOptions): Promise<RunningChild> {
  const child = new GatewayChild(options)
  const { port, metricsPort } = await child.event('the gateway is ready')
  if (options.stderr === 'held') child.process.stderr?.pause()
  return Object.assign(child, { port: Number(port), metricsPort: Number(metricsPort) })
}

/** A server to forward to; answers `ok` unless the test says otherwise. */
export async function startBackend(
  respond: RequestListener = (_request, response) => response.end('ok'),
): Promise<string> {
  const server = createServer(respond)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** One api over everything, with a route more for each name: documents with other names are other snapshots. */
export function toDocument(
  url: string,
  { names = [] as readonly string[], policies = [] as readonly object[], gateway = {} } = {},
) {
  const routes = ['all', ...names].map((name) => ({ name, match: { path: name === 'all' ? '/*' : `/${name}` } }))
  const api = { name: 'test', version: '1', upstream: 'test', policies, routes }
  return { headgate: 1, gateway, upstreams: [{ name: 'test', targets: [{ url }] }], apis: [api] }
}

export interface Got {
  /** 0 when there was no answer. */
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** Asks for a path; without an agent over a connection of its own. Never rejects: what failed has the status 0. */
export function get(
  port: number,
  path = '/',
  agent: Agent | false = false,
  fields: Readonly<Record<string, string>> = {},
): Promise<Got> {
  return new Promise((resolve) => {
    const failed = (cause: Error): void => resolve({ status: 0, body: cause.message, headers: {} })
    const request = sendRequest({ host: '127.0.0.1', port, path, agent, headers: fields }, (response) => {
      let body = ''
      response.on('data', (text) => (body += String(text)))
      response.on('error', failed)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
    request.on('error', failed)
    request.end()
  })
}

/** Asks again and again over as many connections, until told to stop; counts the statuses. */
export function startLoad(
  port: number,
  connections: number,
  path = '/',
): { counts: Map<number, number>; stop(): Promise<void> } {
  const counts = new Map<number, number>()
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let stopped = false
  const loops = Array.from({ length: connections }, async () => {
    while (!stopped) {
      const { status } = await get(port, path, agent)
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
  })
  const stop = async (): Promise<void> => {
    stopped = true
    await Promise.all(loops)
    agent.destroy()
  }
  return { counts, stop }
}

/** Waits until it is so; the caller's test has the time limit. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}
