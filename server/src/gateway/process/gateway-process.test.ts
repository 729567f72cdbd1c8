import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { captureLog } from '../../../test/captured-log.ts'
import { compileFiles } from '../../../test/test-config.ts'
import { toSnapshotLines } from '../../config/snapshot-lines.ts'
import { EventWriter } from '../../kernel/log.ts'
import type { Compiled, ConfigSource } from './config-source.ts'
import { GatewayProcess } from './gateway-process.ts'

/** A configuration of one route that answers with the text. */
function answering(text: string): Compiled {
  const route = `{ name: r, match: { path: / }, policies: [{ kind: respond, config: { body: ${text} } }] }`
  const document = `headgate: 1\ngateway: { accessLog: { enabled: false }, drain: { delaySeconds: 0 } }\napis: [{ name: a, version: '1', routes: [${route}] }]`
  const { snapshot } = compileFiles({ 'a.yaml': document })
  const { listener, upstreams } = snapshot
  return { kind: 'compiled', ...toSnapshotLines(snapshot), upstreams, listener, routes: 1, watched: new Map() }
}

/** A gateway on these configurations, one after the other; an error stands for one that cannot be had. */
async function startProcess(given: (Compiled | Error)[]) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-process-'))
  const source: ConfigSource = {
    read: async () => {
      const next = given.length > 1 ? given.shift() : given[0]
      if (next === undefined || next instanceof Error) throw next ?? new Error('nothing was given')
      return next
    },
    follow: () => undefined,
    close: async () => undefined,
  }
  const { log, next } = captureLog()
  const gateway = new GatewayProcess({
    version: '1.2.3',
    source,
    workers: 1,
    host: '127.0.0.1',
    port: 0,
    tlsPort: 0,
    metricsHost: '127.0.0.1',
    metricsPort: 0,
    debug: false,
    log,
    events: new EventWriter(process.stderr),
    logLevel: 'info',
    cacheFolder: join(folder, 'cache'),
    dataFolder: folder,
  })
  onTestFinished(async () => {
    await gateway.stop()
    rmSync(folder, { recursive: true })
  })
  await gateway.start()
  const answer = (): Promise<string> => fetch(`http://127.0.0.1:${gateway.ports.port}/`).then((got) => got.text())
  return { gateway, next, answer }
}

test('a change that could not be taken is tried once more, though nobody asks again', { timeout: 20_000 }, async () => {
  const fault = new Error('a worker ended while it prepared the configuration')
  const { gateway, next, answer } = await startProcess([answering('one'), fault, answering('two')])
  await gateway.reload()
  expect(await answer()).toBe('one')
  await next('the configuration is live')
  expect(await answer()).toBe('two')
})
