/** What leaves an outbox as it arrives at the other end of a real connection. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished, expect, test } from 'vitest'
import { listenLocally } from '../../../test/local-server.ts'
import { Outbox } from './outbox.ts'
import { OutgoingBody } from './outgoing-body.ts'
import { writeMessage } from './write.ts'

interface Pair {
  readonly socket: Socket
  readonly outbox: Outbox
  readonly reader: Socket
  /** All that arrives, once the connection has ended; `reset` when it was broken off. */
  readonly arrived: Promise<string>
}

async function openPair(): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true })
  const port = await listenLocally(server)
  const reader = connect(port, '127.0.0.1')
  onTestFinished(() => void reader.destroy())
  const [socket]: Socket[] = await once(server, 'connection')
  if (socket === undefined) throw new Error('no connection')
  const arrived = new Promise<string>((resolve) => {
    const pieces: Buffer[] = []
    reader.on('data', (bytes: Buffer) => pieces.push(bytes))
    reader.on('end', () => resolve(Buffer.concat(pieces).toString()))
    reader.on('error', () => resolve('reset'))
  })
  return { socket, outbox: new Outbox(socket), reader, arrived }
}

test('answers to requests of one read arrive in order, whatever they are made of', async () => {
  const { outbox, arrived } = await openPair()
  const bodies = [undefined, 'small', 'm'.repeat(20_000), 'l'.repeat(100_000), undefined, 'last']
  for (const [at, body] of bodies.entries()) {
    writeMessage(outbox, `head ${at} `, body === undefined ? undefined : Buffer.from(body))
  }
  outbox.end()
  expect((await arrived) === bodies.map((body, at) => `head ${at} ${body ?? ''}`).join('')).toBe(true)
})

test('the end goes out after a message that is held back', async () => {
  const { outbox, arrived } = await openPair()
  writeMessage(outbox, 'head ', Buffer.from('body'))
  outbox.end()
  expect(await arrived).toBe('head body')
})

test('a connection that is broken off sends nothing that is held back', async () => {
  const { socket, outbox, arrived } = await openPair()
  const errors: Error[] = []
  socket.on('error', (error) => errors.push(error))
  writeMessage(outbox, 'head ', Buffer.from('body'))
  socket.resetAndDestroy()
  await turn()
  expect([await arrived, errors]).toEqual(['reset', []])
})

test('a body that streams, as after an upgrade, goes out behind its head that is held back', async () => {
  const { outbox, arrived } = await openPair()
  writeMessage(outbox, 'HTTP/1.1 101 Switching Protocols\r\n\r\n', undefined)
  const source = { bodyBytes: undefined, flow: () => undefined, resume: () => undefined, cancel: () => undefined }
  const body = new OutgoingBody(outbox, source, false, { bodySent: () => outbox.end(), bodyBroke: () => undefined })
  body.chunk(Buffer.from('first '))
  await turn()
  body.chunk(Buffer.from('second'))
  body.end(undefined)
  expect(await arrived).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\nfirst second')
})

test('a reader that stalls gets every byte as it was written, and the writer is told to wait', async () => {
  const { socket, outbox, reader, arrived } = await openPair()
  const { outbox: another, arrived: others } = await openPair()
  reader.pause()
  const texts: string[] = []
  // Once its own buffer is full the kernel takes part of a message, and the rest waits where it was written.
  while (!socket.writableNeedDrain) {
    const text = String(texts.length % 10).repeat(30_000)
    texts.push(text)
    writeMessage(outbox, 'head ', Buffer.from(text))
    writeMessage(another, 'o', Buffer.from('x'))
    await turn()
  }
  for (let round = 0; round < 5; round++) {
    writeMessage(another, 'o', Buffer.alloc(30_000, 'x'))
    await turn()
  }
  outbox.end()
  another.end()
  reader.resume()
  expect((await arrived) === texts.map((text) => `head ${text}`).join('')).toBe(true)
  expect(/^(?:ox+)+$/.test(await others)).toBe(true)
})
