import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { testControl } from '../../test/test-control.ts'
import { listenForControl } from '../control/server.ts'

const program = join(import.meta.dirname, 'headgate.ts')

interface Ran {
  readonly status: unknown
  readonly errors: string
}

async function runIn(folder: string, variables: Record<string, string>, ...args: readonly string[]): Promise<Ran> {
  const env = { PATH: process.env['PATH'], HOME: folder, ...variables }
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const [errors, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { status, errors }
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-command-line-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a command leaves nothing behind where it is called', async () => {
  const folder = makeFolder()
  expect((await runIn(folder, {}, 'version')).status).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test('a command takes no compiled modules from a folder that merely lies where it is called', async () => {
  const folder = makeFolder()
  mkdirSync(join(folder, '.headgate'))
  expect((await runIn(folder, {}, 'version')).status).toBe(0)
  expect(readdirSync(join(folder, '.headgate'))).toEqual([])
})

test('a role keeps what it keeps in its data folder alone, which only its user can open', async () => {
  const folder = makeFolder()
  const { status } = await runIn(folder, {}, 'gateway', '--config', 'missing.yaml', '--data-dir', 'kept')
  expect(status).toBe(1)
  expect(readdirSync(folder)).toEqual(['kept'])
  expect(statSync(join(folder, 'kept')).mode & 0o777).toBe(0o700)
})

test('wrong use ends with 2, also of a command within a command', async () => {
  const folder = makeFolder()
  for (const args of [
    ['aply'],
    ['deploy', 'books'],
    ['import', 'openapi'],
    ['import', 'openapi', 'a', '--nmae', 'b'],
  ]) {
    expect([args, (await runIn(folder, {}, ...args)).status]).toEqual([args, 2])
  }
  const { status, errors } = await runIn(folder, {}, 'lint', 'missing.yaml')
  expect([status, errors]).toEqual([1, 'missing.yaml: there is no such file. Give a path or a URL.\n'])
})

test('a gateway that cannot join its control plane says why, and what to do', async () => {
  const folder = makeFolder()
  const { app } = await testControl()
  const server = await listenForControl(app, '127.0.0.1', 0)
  onTestFinished(() => server.close())
  const join = (port: number, more: Record<string, string> = {}) =>
    runIn(folder, { ...more, HEADGATE_CONTROL_URL: `http://127.0.0.1:${port}` }, 'gateway')
  expect(await join(server.port)).toEqual({ status: 1, errors: expect.stringMatching(/^This gateway has not joined/) })
  const bad = await join(server.port, { HEADGATE_NODE_TOKEN: 'hg_join_wrong' })
  expect(bad).toEqual({
    status: 1,
    errors: expect.stringMatching(/^The control plane at .* The join token is not valid\. /),
  })
  const away = await join(1, { HEADGATE_NODE_TOKEN: 'hg_join_wrong' })
  expect(away).toEqual({ status: 1, errors: expect.stringMatching(/^No control plane answers at http:/) })
})
