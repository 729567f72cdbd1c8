import { createServer as createHttpServer } from 'node:http'
import { createSecureServer, createServer as createHttp2Server } from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { captureLog } from '../../../test/captured-log.ts'
import { createCertificate } from '../../../test/certificates.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { localEndpoint, testEndpoint } from '../../../test/test-upstream.ts'
import type { UpstreamTlsSpec } from '../../kernel/snapshot.ts'
import { HealthBoard, toHealthVerdicts, UNHEALTHY } from './health-board.ts'
import { HealthCheck, HealthVerdict } from './health-check.ts'
import { probe, type ProbeSettings } from './health-probe.ts'
import { toUpstreamTls } from './tls-options.ts'

const check = { path: '/health', intervalMs: 10, timeoutMs: 2_000, healthyAfter: 2, unhealthyAfter: 2, statuses: [200] }

function toSettings(parts: Partial<ProbeSettings> = {}, tls: Partial<UpstreamTlsSpec> = {}): ProbeSettings {
  const spec = { ca: undefined, cert: undefined, key: undefined, serverName: undefined, verify: true, ...tls }
  const protocol = parts.protocol ?? 'http1'
  return { check, protocol, headers: [], tls: toUpstreamTls({ protocol, tls: spec }), ...parts }
}

test('a probe asks for the path with the host and the credentials of the upstream', async () => {
  const seen: unknown[] = []
  const server = createHttpServer((request, response) => {
    seen.push([request.method, request.url, request.headers.host, request.headers.authorization])
    response.end()
  })
  const endpoint = { ...localEndpoint(await listenLocally(server)), authority: 'books.test' }
  const headers = [{ name: 'Authorization', value: 'Bearer x' }]
  expect(await probe(endpoint, toSettings({ headers }))).toBeUndefined()
  expect(seen).toEqual([['GET', '/health', 'books.test', 'Bearer x']])
})

test('a probe speaks HTTP/2, by prior knowledge and over TLS, where the upstream does', async () => {
  const plain = createHttp2Server((_request, response) => response.end())
  expect(await probe(localEndpoint(await listenLocally(plain)), toSettings({ protocol: 'http2' }))).toBeUndefined()
  const leaf = createCertificate('books', { names: ['127.0.0.1'] })
  const secure = createSecureServer({ cert: leaf.cert, key: leaf.key }, (_request, response) => response.end())
  const endpoint = localEndpoint(await listenLocally(secure), 'https')
  expect(await probe(endpoint, toSettings({ protocol: 'http2' }, { ca: leaf.cert }))).toBeUndefined()
  expect(await probe(endpoint, toSettings({ protocol: 'http2' }))).toMatch(/SELF_SIGNED/)
})

test.each([
  ['answers another status', 'HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n', /answered 503/],
  ['sends garbage', 'garbage\r\n\r\n', /HPE_/],
  ['hangs up', '', /closed|ECONNRESET|EPIPE/],
])('a target that %s is not well', async (_what, text, fault) => {
  const server = createTcpServer((socket) => void socket.once('data', () => socket.end(text)))
  expect(await probe(localEndpoint(await listenLocally(server)), toSettings())).toMatch(fault)
})

test('a target that does not answer in time, or is not there, is not well', async () => {
  const port = await listenLocally(createTcpServer((socket) => socket.resume()))
  const hasty = toSettings({ check: { ...check, timeoutMs: 30 } })
  expect(await probe(localEndpoint(port), hasty)).toBe('no answer in 30 ms')
  const gone = createTcpServer()
  const closedPort = await listenLocally(gone)
  gone.close()
  expect(await probe(localEndpoint(closedPort), toSettings())).toBe('ECONNREFUSED')
})

test('a check that Node refuses to write fails instead of throwing', async () => {
  const port = await listenLocally(createHttpServer((_request, response) => response.end()))
  expect(await probe(localEndpoint(port), toSettings({ check: { ...check, path: '/a b' } }))).toMatch(/path/i)
})

test('a verdict changes only after enough checks in a row say otherwise', () => {
  const verdict = new HealthVerdict({ ...check, healthyAfter: 2, unhealthyAfter: 3 }, true)
  expect([false, false, true, false, false].map((well) => verdict.count(well))).not.toContain(true)
  expect(verdict.count(false)).toBe(true)
  expect([verdict.healthy, verdict.count(true), verdict.count(true), verdict.healthy]).toEqual([
    false,
    false,
    true,
    true,
  ])
})

test('a target goes out and comes back as its health does, and both are told', async () => {
  let status = 200
  const server = createHttpServer((_request, response) => response.writeHead(status).end())
  const endpoint = localEndpoint(await listenLocally(server))
  const { log, next } = captureLog()
  const board = new HealthBoard(4)
  const checks = new HealthCheck({
    upstream: 'books',
    settings: toSettings(),
    board,
    log,
    random: () => 0,
    inherited: [],
  })
  onTestFinished(() => checks.close())
  const [checked] = checks.watch([endpoint])
  const slot = checked?.healthSlot ?? 0
  expect([slot > 0, board.isHealthy(slot)]).toEqual([true, true])
  status = 500
  expect(await next('target is unhealthy')).toMatchObject({
    upstream: 'books',
    target: endpoint.id,
    fault: 'answered 500',
  })
  expect(toHealthVerdicts(board.buffer)[slot]).toBe(UNHEALTHY)
  status = 200
  await next('target is healthy again')
  expect(board.isHealthy(slot)).toBe(true)
})

test('a reload hands the verdict of a target on, and frees the slots of those that are gone', async () => {
  const board = new HealthBoard(2)
  const { log, events } = captureLog()
  const options = {
    upstream: 'books',
    settings: toSettings({ check: { ...check, intervalMs: 60_000 } }),
    board,
    log,
    random: () => 0.9,
  }
  const before = new HealthCheck({ ...options, inherited: [] })
  const [stays, goes] = before.watch([testEndpoint('stays'), testEndpoint('goes')])
  board.write(stays?.healthSlot ?? 0, false)
  board.write(goes?.healthSlot ?? 0, false)
  const after = new HealthCheck({ ...options, inherited: before.handOver() })
  onTestFinished(() => after.close())
  const [still, fresh] = after.watch([testEndpoint('stays'), testEndpoint('fresh')])
  expect(still?.healthSlot).toBe(stays?.healthSlot)
  expect(board.isHealthy(still?.healthSlot ?? 0)).toBe(false)
  expect([fresh?.healthSlot, board.isHealthy(fresh?.healthSlot ?? 0)]).toEqual([goes?.healthSlot, true])
  expect(events).toEqual([])
})

test('a full board leaves a target unchecked and says so', () => {
  const { log, events } = captureLog()
  const settings = toSettings({ check: { ...check, intervalMs: 60_000 } })
  const checks = new HealthCheck({
    upstream: 'books',
    settings,
    board: new HealthBoard(1),
    log,
    random: () => 0.9,
    inherited: [],
  })
  onTestFinished(() => checks.close())
  expect(checks.watch([testEndpoint('a'), testEndpoint('b')]).map(({ healthSlot }) => healthSlot)).toEqual([1, 0])
  expect(events).toMatchObject([{ upstream: 'books', target: 'b', level: 50 }])
})
