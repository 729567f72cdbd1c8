import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../kernel/log.ts'
import { Role } from './process-tree.ts'

test('a role that cannot be started says so, and is not waited for at the end', async () => {
  const { execPath } = process
  onTestFinished(() => {
    process.execPath = execPath
  })
  process.execPath = join(tmpdir(), 'no-node-is-here')
  const log = createLog('silent', { write: () => undefined })
  const role = new Role({ name: 'gateway', file: 'any.js', args: [], environment: () => Promise.resolve({}), log })
  await expect(role.start()).rejects.toThrow('ENOENT')
  await role.stop()
})
