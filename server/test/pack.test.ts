import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePorts, untilReady } from './ports.ts'

const repository = join(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'headgate-pack-'))
const app = join(scratch, 'app')
const installed = join(app, 'node_modules/headgate')
const configuration = join(app, 'headgate.yaml')
let backend: Server
let gateway: ChildProcess | undefined

/** Settings that npm gave to this test run would send a nested npm to this repository instead of the new folder. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || /^npm_config_(registry|cache|userconfig)$/i.test(name),
  ),
)

/** Nothing else can end it while it runs, so it has a limit of its own: npm tries for a long time where it gets no answer. */
function run(command: string, args: string[], cwd: string): string {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
  return execFileSync(command, args, { cwd, env: environment, encoding: 'utf8', stdio, timeout: 150_000 })
}

beforeAll(async () => {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '-w', 'server', '--json', '--pack-destination', scratch], repository),
  )
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "private": true }')
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(scratch, filename)], app)
  backend = createServer((_, response) => response.end('from the backend')).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const address = backend.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const lines = ['headgate: 1', 'upstreams:', `  - { name: backend, targets: [{ url: 'http://127.0.0.1:${port}' }] }`]
  lines.push('apis:', '  - name: hello', '    version: 1.0.0', '    basePath: /hello', '    upstream: backend')
  lines.push('    routes: [{ name: all, match: { path: /* } }]', '')
  writeFileSync(configuration, lines.join('\n'))
}, 180_000)

afterAll(async () => {
  if (gateway?.kill('SIGKILL')) await once(gateway, 'exit')
  backend.close()
  rmSync(scratch, { recursive: true, force: true })
})

test('the packed module holds JavaScript, the schema, the licence, and neither sources nor tests', () => {
  for (const file of ['bin/headgate.js', 'dist/bin/headgate.js', 'dist/headgate.schema.json', 'LICENSE', 'README.md']) {
    expect(existsSync(join(installed, file)), file).toBe(true)
  }
  const files = run('find', ['.', '-name', '*.ts', '-o', '-name', '*.test.*', '-o', '-name', '*.map'], installed)
  expect(files.split('\n').filter((file) => file !== '' && !file.startsWith('./node_modules/'))).toEqual([])
})

test('the packed module has nothing that publint objects to', async () => {
  const { messages } = await publint({ pkgDir: installed, pack: false, level: 'suggestion' })
  expect(messages).toEqual([])
})

test('the installed command tells its version', () => {
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  expect(run('npx', ['--no', 'headgate', 'version'], app)).toContain(version)
})

test('the installed command validates a configuration and names the line of a mistake', () => {
  run('npx', ['--no', 'headgate', 'validate', configuration], app)
  const mistaken = join(app, 'mistaken.yaml')
  writeFileSync(mistaken, 'headgate: 1\nupstream: []\n')
  expect(() => run('npx', ['--no', 'headgate', 'validate', mistaken], app)).toThrow(/mistaken\.yaml:2.*upstreams/s)
})

test('the installed gateway answers a request and ends on SIGTERM', async () => {
  const [gatewayPort, metricsPort] = await findFreePorts(2)
  const settings = {
    HEADGATE_GATEWAY_PORT: `${gatewayPort}`,
    HEADGATE_METRICS_PORT: `${metricsPort}`,
    HEADGATE_WORKERS: '2',
  }
  const args = [join(installed, 'bin/headgate.js'), 'gateway', '--config', configuration]
  gateway = spawn(process.execPath, args, {
    cwd: app,
    env: { ...environment, ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await untilReady(`http://127.0.0.1:${metricsPort}/readyz`)
  const answer = await fetch(`http://127.0.0.1:${gatewayPort}/hello/there`)
  expect([answer.status, await answer.text()]).toEqual([200, 'from the backend'])
  const gone = once(gateway, 'exit')
  gateway.kill('SIGTERM')
  expect(await gone).toEqual([0, null])
  gateway = undefined
}, 60_000)
