/** Counts of quotas over the life of processes. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { get, startBackend, startGateway, toDocument, until } from './gateway-child.ts'

const slow = { timeout: 30_000 }
// No run of this test sees the end of a year, but for one in its last seconds.
const policies = [{ kind: 'quota', config: { limit: 4, period: 'year', countBy: 'route' } }]

function testFolder(): { flags: string[]; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-quota-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { flags: ['--data-dir', folder], path: join(folder, 'quotas.jsonl') }
}

const usedIn = (path: string): unknown =>
  existsSync(path) ? JSON.parse(readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '[]')[4] : undefined

test('a month is not forgotten by a restart, nor by a process that is killed a second later', slow, async () => {
  const document = toDocument(await startBackend(), { policies })
  const { flags, path } = testFolder()
  const killed = await startGateway({ document, flags })
  expect([(await get(killed.port)).status, (await get(killed.port)).status]).toEqual([200, 200])
  await until(() => usedIn(path) === 2)
  killed.process.kill('SIGKILL')
  await killed.exited

  const stopped = await startGateway({ document, flags })
  expect((await get(stopped.port)).headers['ratelimit']).toMatch(/^"quota";r=1;/)
  stopped.process.kill('SIGTERM')
  expect(await stopped.exited).toBe(0)

  const last = await startGateway({ document, flags })
  expect([(await get(last.port)).status, (await get(last.port)).status]).toEqual([200, 429])
})

test('counts that cannot be read or saved keep no gateway down', slow, async () => {
  const document = toDocument(await startBackend(), { policies })
  const { path } = testFolder()
  writeFileSync(path, '')
  const gateway = await startGateway({ document, flags: ['--data-dir', path] })
  await gateway.event('the saved counts of quotas cannot be read, they begin anew')
  expect((await get(gateway.port)).status).toBe(200)
  await gateway.event('the counts of quotas cannot be saved')
  expect((await get(gateway.port)).status).toBe(200)
})
