import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { captureLog } from '../../../test/captured-log.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { gatewayReport, MOST_REFUSED_CHARS } from '../../kernel/control-protocol.ts'
import { ControlSource } from './control-source.ts'
import { SnapshotKeeper } from './kept-snapshot.ts'
import { TrustedKey } from './trusted-key.ts'

/** A gateway's way to a control plane that gives it no snapshot; `reports` are what that was told. */
async function startSource() {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-source-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const told = Promise.withResolvers<unknown>()
  const server = createServer((request, response) => {
    if (request.url === '/api/v1/gateway/report') told.resolve(json(request))
    response.writeHead(503).end()
  })
  const port = await listenLocally(server)
  const { log, next } = captureLog()
  const identity = { id: 'one', environment: 'production', token: 'any', publicKey: 'any' }
  const source = new ControlSource({
    urls: [`http://127.0.0.1:${port}`],
    identity,
    trusted: new TrustedKey(identity, () => undefined),
    keeper: new SnapshotKeeper(folder, join(folder, 'node.key')),
    version: '1.2.3',
    log,
  })
  return { source, told: told.promise, next }
}

test('control hears why a snapshot is not running, however long the reason is', async () => {
  const { source, told } = await startSource()
  onTestFinished(() => source.close())
  const refused = 'a policy does not compile: '.padEnd(MOST_REFUSED_CHARS + 1, '…')
  source.follow(
    () => undefined,
    () => ({ version: '', refused, workers: 2, ready: true }),
    [],
  )
  expect(gatewayReport.parse(await told)).toMatchObject({ refused: refused.slice(0, -1), workers: 2, version: '1.2.3' })
})

test('a start that waits for its first snapshot ends when it is told to', async () => {
  const { source, next } = await startSource()
  const reading = source.read()
  await next('the control plane cannot be asked; what is running goes on')
  const [outcome] = await Promise.allSettled([reading, source.close()])
  expect(outcome.status).toBe('rejected')
})
