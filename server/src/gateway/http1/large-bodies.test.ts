import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as sendRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { testGateway } from '../../../test/test-gateway.ts'

const BODY_BYTES = 8_000_000

/** An upstream that sends back what it gets, as it gets it. */
async function startEcho(): Promise<string> {
  const server = createServer((request, response) => void request.pipe(response))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

/** Sends bytes and takes back what is echoed, resting for some turns after each piece; what came back, as a digest. */
async function echo(port: number, bytes: Buffer, isLengthKnown: boolean, restTurns: number): Promise<string> {
  const headers = isLengthKnown ? { 'content-length': bytes.length } : {}
  const request = sendRequest({ host: '127.0.0.1', port, method: 'POST', path: '/', agent: false, headers })
  const answered = once(request, 'response')
  request.end(bytes)
  const [response]: IncomingMessage[] = await answered
  const came = createHash('sha256')
  for await (const piece of response ?? []) {
    came.update(piece)
    for (let turn = 0; turn < restTurns; turn++) await nextTurn()
  }
  return came.digest('hex')
}

test(
  'large bodies at the same time arrive as they were sent, however slowly they are read',
  { timeout: 60_000 },
  async () => {
    const gateway = await testGateway({
      target: await startEcho(),
      document: { gateway: { limits: { maxBodyBytes: 2 * BODY_BYTES } } },
    })
    const callers = Array.from({ length: 8 }, (_, at) => ({
      bytes: randomBytes(BODY_BYTES),
      isLengthKnown: at % 2 === 0,
      restTurns: at % 4,
    }))
    const came = await Promise.all(
      callers.map(({ bytes, isLengthKnown, restTurns }) => echo(gateway.port, bytes, isLengthKnown, restTurns)),
    )
    expect(came).toEqual(callers.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex')))
  },
)
