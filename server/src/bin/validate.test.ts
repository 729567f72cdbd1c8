import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documentWith, inFolder } from '../../test/test-config.ts'
import { runValidate } from './validate.ts'

const launcher = join(import.meta.dirname, '../../bin/headgate.js')

function run(text: string, options: { json?: boolean } = {}): { code: number; out: string; err: string } {
  let out = ''
  let err = ''
  const code = inFolder({ 'a.yaml': text }, (folder) =>
    runValidate(join(folder, 'a.yaml'), options, {
      environment: {},
      write: (piece) => (out += piece),
      writeError: (piece) => (err += piece),
      readSecret: () => Promise.resolve(''),
    }),
  )
  return { code, out, err }
}

function headgate(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [launcher, ...parameters], { encoding: 'utf8' })
}

describe('headgate validate', () => {
  test('says what a right configuration holds, and leaves with 0', () => {
    const { code, out, err } = run(documentWith('consumers: [{ name: acme }]'))
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(
      /a\.yaml is valid: 1 upstream, 1 API, 1 route, 0 policies, 1 consumer\. Version [0-9a-f]{12}\.\n$/,
    )
  })

  test('says every finding on a line of its own to standard error, and leaves with 1', () => {
    const { code, out, err } = run(documentWith('consumer: []\napi: []'))
    expect([code, out]).toEqual([1, ''])
    expect(err.split('\n')).toHaveLength(4)
    expect(err).toMatch(
      /a\.yaml:6:1: consumer: this key is not known\. Did you mean `consumers`\?\n.*\n2 things are wrong\.\n$/,
    )
  })

  test('gives both as JSON', () => {
    const right: unknown = JSON.parse(run(documentWith(''), { json: true }).out)
    expect(right).toMatchObject({ valid: true, upstreams: 1, apis: 1, routes: 1, policies: 0, consumers: 0 })
    const wrong: unknown = JSON.parse(run('headgate: 2', { json: true }).out)
    expect(wrong).toMatchObject({
      valid: false,
      issues: [{ line: 1, column: 11, path: 'headgate', message: 'must be `1`' }],
    })
  })
})

describe('the command line', () => {
  test('leaves with 2 when it is used wrongly', () => {
    expect(headgate('validate').status).toBe(2)
    expect(headgate('validate', 'a.yaml', '--no-such').status).toBe(2)
    expect(headgate('no-such').status).toBe(2)
  })

  test('helps with an example', () => {
    const { status, stdout } = headgate('validate', '--help')
    expect(status).toBe(0)
    expect(stdout).toContain('Example:\n  $ ')
  })

  test('tells its version, as JSON too', () => {
    expect(headgate('version').stdout).toMatch(/^headgate \d+\.\d+\.\d+ \(Node \d+/)
    expect(JSON.parse(headgate('version', '--json').stdout)).toHaveProperty('headgate')
  })
})
