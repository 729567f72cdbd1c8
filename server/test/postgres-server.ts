/** A real PostgreSQL of the tests' own: Debian's binaries, a data folder that goes away, a port that the kernel chose. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const user = 'headgate'
const maxStarts = 100
const installHint = 'PostgreSQL is not installed: apt-get install postgresql'

/** The newest of Debian's versions; undefined where none is installed. */
export function findPostgres(): string | undefined {
  const folders = globSync('/usr/lib/postgresql/*/bin/postgres').map((path) => join(path, '..'))
  const version = (folder: string): number => Number(/postgresql\/(\d+)/.exec(folder)?.[1])
  return folders.toSorted((a, b) => version(b) - version(a))[0]
}

export interface PostgresServer {
  /** The URL of one of its databases. */
  url(database: string): string
  readonly pid: number
  /** As a machine that loses power does: at once, with everything that was only in memory. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root, so root runs it as the user that Debian's package made. */
function findOwner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

export interface PostgresServerOptions {
  /** Off, a database is made in 20 ms and not 230, which only tests that crash the server can tell from the real thing. */
  readonly fsync: 'on' | 'off'
}

/** Makes a data folder and starts a server on it. */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const binaries = findPostgres()
  if (binaries === undefined) throw new Error(installHint)
  const owner = findOwner()
  const folder = mkdtempSync(join(tmpdir(), 'headgate-postgres-'))
  if (owner) chownSync(folder, owner.uid, owner.gid)
  chmodSync(folder, 0o700)
  const data = join(folder, 'data')
  // An English order of texts, not the byte order: a query that leans on the server's default differs from SQLite here.
  const locale = ['--locale-provider=icu', '--icu-locale=en-US', '--locale=C.UTF-8', '--encoding=UTF8']
  const access = ['--auth=trust', `--username=${user}`, `--pgdata=${data}`, '--no-sync']
  const made = spawnSync(join(binaries, 'initdb'), [...access, ...locale], { ...owner, cwd: folder, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`PostgreSQL could not make a data folder:\n${made.stdout}${made.stderr}`)
  const port = await findFreePort()
  writeFileSync(join(data, 'postgresql.conf'), toSettings({ ...options, folder, port }), { flag: 'a' })
  let running = await start(binaries, data, owner)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
  }
  return {
    url: (database) => `postgres://${user}@127.0.0.1:${port}/${database}`,
    get pid() {
      return running.pid ?? 0
    },
    kill: async () => {
      // Stopped first, so that it begins no process between the list and the end.
      running.kill('SIGSTOP')
      const backends = readChildren(running.pid)
      const ended = end('SIGKILL')
      for (const pid of backends) killIfThere(pid)
      await ended
    },
    start: async () => {
      running = await start(binaries, data, owner)
    },
    stop: async () => {
      await end('SIGQUIT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The processes that a server began for its connections and its own work. */
function readChildren(pid = 0): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It may have noticed the end of its parent and gone by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function toSettings({ fsync, folder, port }: PostgresServerOptions & { folder: string; port: number }): string {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    fsync,
    unix_socket_directories: folder,
    max_connections: 200,
    shared_buffers: '32MB',
    timezone: 'Pacific/Kiritimati',
    lc_messages: 'C',
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join('')
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts it again while the memory that it shared with killed processes is not yet free. */
async function start(
  binaries: string,
  data: string,
  owner: { uid: number; gid: number } | undefined,
): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(binaries, data, owner)
    } catch (error) {
      if (attempt === maxStarts || !String(error).includes('shared memory block')) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Resolves when it takes connections, which it says in its log. */
function startOnce(
  binaries: string,
  data: string,
  owner: { uid: number; gid: number } | undefined,
): Promise<ChildProcess> {
  const child = spawn(join(binaries, 'postgres'), ['-D', data], {
    ...owner,
    cwd: data,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    child.stderr.on('data', (text) => {
      output = `${output}${String(text)}`.slice(-10_000)
      if (output.includes('database system is ready to accept connections')) resolve(child)
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${output}`)))
  })
}
