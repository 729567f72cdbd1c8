// What `npm start` runs: the bookshop and the gateway in front of it, each as a process of its own, and a few lines on
// what to try. Ports come from PORT, HEADGATE_GATEWAY_PORT and HEADGATE_METRICS_PORT.
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const folder = import.meta.dirname
const startLimitMs = 30_000

const ports = {
  PORT: Number(process.env['PORT'] ?? 9001),
  HEADGATE_GATEWAY_PORT: Number(process.env['HEADGATE_GATEWAY_PORT'] ?? 8080),
  HEADGATE_METRICS_PORT: Number(process.env['HEADGATE_METRICS_PORT'] ?? 9464),
}
const key = process.env['ACME_KEY'] ?? 'acme-demo-key'
const children = new Set<ChildProcess>()
let stopping = false

/** Whether this machine lets us listen on a port. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)))
  })
}

function startChild(name: string, ...args: string[]): void {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ACME_KEY: key },
    // A group of its own: Ctrl-C reaches it once, through this process, since a second signal would cut its drain short.
    detached: process.platform !== 'win32',
  })
  children.add(child)
  child.once('exit', (code, signal) => {
    children.delete(child)
    if (stopping) return
    console.error(`The ${name} stopped (${signal ?? `exit code ${code}`}), so the example stops too.`)
    process.exitCode = 1
    stop('SIGTERM')
  })
}

/** Asks both children to end; this process ends when they have. */
function stop(signal: NodeJS.Signals): void {
  stopping = true
  for (const child of children) child.kill(signal)
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + startLimitMs
  while (!stopping) {
    // A refused connection only means that it does not listen yet.
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    if (Date.now() > deadline) throw new Error(`${url} was not ready within ${startLimitMs / 1000} seconds.`)
    await delay(50)
  }
}

function whatToTry(): string {
  const gateway = `http://127.0.0.1:${ports.HEADGATE_GATEWAY_PORT}`
  const withKey = `-H 'x-api-key: ${key}'`
  return `
Headgate answers on ${gateway} and tells its health on http://127.0.0.1:${ports.HEADGATE_METRICS_PORT}/readyz.
The bookshop behind it listens on http://127.0.0.1:${ports.PORT}. In another terminal, try:

  1. A request without a key. Headgate refuses it; the bookshop never sees it.
     curl -i ${gateway}/bookshop/books

  2. The same with a key.
     curl -i ${withKey} ${gateway}/bookshop/books

  3. Six bulk reads, where five a minute are allowed: the last one is refused.
     for i in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{http_code}\\n' ${withKey} '${gateway}/bookshop/books?bulk=1'; done

Then change a limit in examples/bookshop/headgate.yaml and send the third again. Ctrl-C ends everything.
`
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal))
// npm passes SIGTERM to the shell between it and this process, which dies without passing it on.
const parent = process.ppid
const isOrphan = (): boolean => process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent
setInterval(() => {
  if (!stopping && isOrphan()) stop('SIGTERM')
}, 500).unref()

for (const [setting, port] of Object.entries(ports)) {
  if (await isFree(port)) continue
  console.error(`Port ${port} is taken. Free it, or set ${setting} to another one.`)
  process.exit(1)
}

try {
  startChild('bookshop', join(folder, 'server.ts'))
  await untilReady(`http://127.0.0.1:${ports.PORT}/health`)
  startChild(
    'gateway',
    join(folder, '../../server/src/bin/headgate.ts'),
    'gateway',
    '--config',
    join(folder, 'headgate.yaml'),
  )
  await untilReady(`http://127.0.0.1:${ports.HEADGATE_METRICS_PORT}/readyz`)
  if (!stopping) console.log(whatToTry())
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
  stop('SIGTERM')
}
