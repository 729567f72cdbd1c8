import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { get, startBackend, startGateway, toDocument } from '../../test/process/gateway-child.ts'
import { GATEWAY_FLAGS, missingFlags } from './engine-flags.ts'

const engine = { platform: 'linux', version: '26.10.0', flags: ['--inspect', '--managed-zone-memory'] }

test('a gateway is started with the flags that it was not given yet', () => {
  expect(missingFlags({ ...engine, flags: [] })).toEqual(GATEWAY_FLAGS)
  expect(missingFlags(engine)).toEqual(GATEWAY_FLAGS.slice(1))
  expect(missingFlags({ ...engine, flags: GATEWAY_FLAGS })).toEqual([])
})

test('a Node that may not know the flags is not given them', () => {
  for (const version of ['24.11.0', '25.9.0', '27.0.0', '260.0.0']) {
    expect([version, missingFlags({ ...engine, version })]).toEqual([version, []])
  }
  expect(missingFlags({ ...engine, platform: 'darwin' })).toEqual([])
})

test.runIf(
  missingFlags({ ...engine, flags: [], platform: process.platform, version: process.versions.node }).length > 0,
)(
  'a gateway goes on with the flags in the process that was started, with its arguments, variables and streams',
  async () => {
    const nodeFlags = ['--stack-trace-limit=20']
    const gateway = await startGateway({ document: toDocument(await startBackend()), nodeFlags })
    const [, ...line] = readFileSync(`/proc/${gateway.process.pid}/cmdline`, 'utf8').split('\0')
    expect(line.slice(0, GATEWAY_FLAGS.length + 1)).toEqual([...GATEWAY_FLAGS, ...nodeFlags])
    expect((await get(gateway.port)).body).toBe('ok')
    gateway.process.kill('SIGTERM')
    expect(await gateway.exited).toBe(0)
  },
)
