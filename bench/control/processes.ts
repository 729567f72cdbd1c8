/** The real processes of the bench: control, gateways that join it, what stands behind them, and the wire between them. */
import { fork, type ChildProcess } from 'node:child_process'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { processTree, residentBytes } from '../measure/process.ts'

const program = join(import.meta.dirname, '../../server/src/bin/headgate.ts')

export interface Role {
  readonly port: number
  /** Milliseconds from its start until it served. */
  readonly startMs: number
  residentMb(): number
  /** The most that was resident while the work ran, looked at every 50 ms. */
  peakMb(work: () => Promise<unknown>): Promise<number>
  stop(): Promise<void>
}

/** Starts a role of `headgate`; resolves when it serves. */
export async function startRole(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Role> {
  const startedAt = performance.now()
  const child = fork(program, [...args], {
    env: { ...process.env, HEADGATE_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const port = await untilReady(child)
  const pid = child.pid ?? -1
  const residentMb = (): number => residentBytes(processTree(pid)) / 1e6
  return {
    port,
    startMs: performance.now() - startedAt,
    residentMb,
    async peakMb(work) {
      let most = residentMb()
      const look = (): void => {
        most = Math.max(most, residentMb())
      }
      const timer = setInterval(look, 50)
      await work().finally(() => clearInterval(timer))
      look()
      return most
    },
    async stop() {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill('SIGTERM')
      await gone
    },
  }
}

function untilReady(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: { readonly kind?: unknown; readonly port?: unknown }) => {
      if (message.kind === 'ready') resolve(Number(message.port))
    })
    child.once('exit', (code) => reject(new Error(`headgate ended with the code ${code} before it served`)))
  })
}

export interface Backend {
  readonly port: number
  close(): void
}

export async function startBackend(): Promise<Backend> {
  const server: HttpServer = createHttpServer((_request, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: portOf(server), close: () => server.closeAllConnections() }
}

export interface Wire {
  readonly port: number
  /** Bytes that went through, both ways together. */
  bytes(): number
  close(): void
}

/** A way to control that counts what passes. */
export async function startWire(controlPort: number): Promise<Wire> {
  let bytes = 0
  const server = createServer((client) => {
    const control = connect(controlPort, '127.0.0.1')
    for (const [from, to] of [
      [client, control],
      [control, client],
    ] as const) {
      from.on('data', (chunk) => (bytes += chunk.length))
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: portOf(server), bytes: () => bytes, close: () => server.close() }
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the kernel gave no port')
  return address.port
}
