/** The tour of the README, walked: its own commands, from a first start to an API that is published, protected and called. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { listenLocally } from './local-server.ts'

const repository = join(import.meta.dirname, '../..')
const PORTS = ['8080', '8081', '9001', '9464'] as const

interface Step {
  readonly command: string
  /** What the README shows of the answer, a line each. */
  readonly shown: readonly string[]
}

/** The blocks of the section until the one that needs no control plane. */
function readSteps(): Step[] {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8')
  const tour = readme.slice(readme.indexOf('**1. A request'), readme.indexOf('The same file runs without'))
  return [...tour.matchAll(/^```\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((each) => {
        const [, command = '', rest = ''] = /^((?:.*\\\n)*.*)\n?([^]*)$/.exec(each) ?? []
        return { command, shown: rest.split('\n').filter((line) => line !== '') }
      }),
  )
}

async function freePort(): Promise<string> {
  const server = createServer()
  const port = await listenLocally(server)
  server.close()
  await once(server, 'close')
  return String(port)
}

test('the tour of the README comes from nothing to a published, protected and called API within a minute', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-tour-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const ports = new Map<string, string>()
  for (const port of PORTS) ports.set(port, await freePort())
  const [gateway, control, demo, metrics] = PORTS.map((port) => ports.get(port) ?? '')
  const environment: Record<string, string | undefined> = {
    ...process.env,
    HEADGATE_DATA_DIR: folder,
    HEADGATE_NODE_KEY_FILE: join(folder, 'node.key'),
    HEADGATE_CREDENTIALS_FILE: join(folder, 'credentials.json'),
    HEADGATE_GATEWAY_PORT: gateway,
    HEADGATE_CONTROL_PORT: control,
    HEADGATE_DEMO_PORT: demo,
    HEADGATE_METRICS_PORT: metrics,
    HEADGATE_URL: `http://127.0.0.1:${control}`,
  }
  // What a start of its own would never have: it would take its end for that of npm.
  delete environment['npm_lifecycle_event']
  const beganMs = performance.now()
  const tree = spawn('npm', ['start'], {
    cwd: repository,
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  onTestFinished(() => endTree(tree.pid))
  const token = await readToken(tree.stdout)
  let key = ''
  for (const { command, shown } of readSteps()) {
    const own = command
      .replaceAll(/:(\d{4})\b/g, (_, port: string) => `:${ports.get(port) ?? port}`)
      .replace('hg_key_…', key)
    if (own.startsWith('export ')) {
      environment['HEADGATE_TOKEN'] = token
      continue
    }
    const child = spawn('bash', ['-c', own], { cwd: repository, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    key ||= /hg_key_[\w-]+/.exec(out)?.[0] ?? ''
    expect(out.replaceAll('\r', ''), `${own}\n${err}`).toContain(toFixedPart(shown[0] ?? ''))
  }
  const tookSeconds = ((performance.now() - beganMs) / 1_000).toFixed(1)
  process.stdout.write(`the tour took ${tookSeconds} s from npm start to the last answer\n`)
}, 60_000)

/** The first line of what is shown, up to where the README leaves something out. */
function toFixedPart(line: string): string {
  return (line.split('…')[0] ?? '').trim()
}

/** Resolves with the admin token when the tour can begin, which is when the words what to try are shown. */
function readToken(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = ''
    stream.on('data', (piece: Buffer) => {
      seen += piece.toString()
      const token = /Admin token, shown this once: (\S+)/.exec(seen)?.[1]
      if (token !== undefined && seen.includes('Ctrl-C ends')) resolve(token)
    })
    stream.on('end', () => reject(new Error(`npm start ended early: ${seen}`)))
  })
}

async function endTree(pid: number | undefined): Promise<void> {
  if (pid === undefined) return
  process.kill(-pid, 'SIGTERM')
  // The group is gone when nobody is left to be asked.
  await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(-pid, 0)
  } catch {
    return false
  }
}
