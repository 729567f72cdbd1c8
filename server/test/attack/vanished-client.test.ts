import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'

const request = 'POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'

/** Connects, sends and resets, all while this thread is busy waiting for it, so that the gateway accepts a dead socket. */
function sendAndReset(port: number): void {
  const script = `
    const socket = require('node:net').connect(${port}, '127.0.0.1', () => {
      socket.write(${JSON.stringify(request)}, () => socket.resetAndDestroy())
    })`
  execFileSync(process.execPath, ['-e', script])
}

test('a client that reset its connection before it was accepted does not get past a list of denied addresses', async () => {
  const gateway = await testGateway({ policies: [{ kind: 'ip-filter', config: { deny: ['127.0.0.0/8'] } }] })
  sendAndReset(gateway.port)
  expect((await gateway.inject('GET /')).status).toBe(403)
  expect(gateway.seen).toEqual([])
  expect(gateway.records.map(({ ip }) => ip)).toEqual(['127.0.0.1'])
})

test('a client that reset its connection before it was accepted is counted by no limit, because it is not served', async () => {
  const limit = { kind: 'rate-limit', config: { limit: 1, countBy: 'ip' } }
  const gateway = await testGateway({ policies: [limit] })
  for (let sent = 0; sent < 3; sent++) sendAndReset(gateway.port)
  expect((await gateway.inject('GET /')).status).toBe(200)
  expect(gateway.seen.map(({ method }) => method)).toEqual(['GET'])
})
