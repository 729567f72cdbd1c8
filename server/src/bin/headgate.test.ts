import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const program = join(import.meta.dirname, 'headgate.ts')

function runIn(folder: string, ...args: readonly string[]) {
  const environment = { PATH: process.env['PATH'] }
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, env: environment })
  return { status, errors: stderr.toString() }
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-command-line-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a command leaves nothing behind where it is called', () => {
  const folder = makeFolder()
  expect(runIn(folder, 'version').status).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test('a role keeps what it keeps in its data folder alone, which only its user can open', () => {
  const folder = makeFolder()
  expect(runIn(folder, 'gateway', '--config', 'missing.yaml', '--data-dir', 'kept').status).toBe(1)
  expect(readdirSync(folder)).toEqual(['kept'])
  expect(statSync(join(folder, 'kept')).mode & 0o777).toBe(0o700)
})

test('wrong use ends with 2, also of a command within a command', () => {
  const folder = makeFolder()
  for (const args of [
    ['aply'],
    ['deploy', 'books'],
    ['import', 'openapi'],
    ['import', 'openapi', 'a', '--nmae', 'b'],
  ]) {
    expect([args, runIn(folder, ...args).status]).toEqual([args, 2])
  }
  const { status, errors } = runIn(folder, 'lint', 'missing.yaml')
  expect([status, errors]).toEqual([1, 'missing.yaml: there is no such file. Give a path or a URL.\n'])
})
