import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { READ_BUFFER } from './read-buffer.ts'
import { readSocket } from './read-socket.ts'

const { cert, key } = createCertificate('reader.test', { names: ['127.0.0.1'] })
const open: { destroy(): void }[] = []
const servers: Server[] = []

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Reads `socket` until `bytes` bytes came: what they say, and whether each piece stood in the shared buffer. */
function readUntil(socket: Socket, bytes: number): Promise<{ text: string; shared: boolean[] }> {
  open.push(socket)
  return new Promise((resolve) => {
    let text = ''
    const shared: boolean[] = []
    readSocket(socket, (read, end, volatile) => {
      text += read.toString('latin1', 0, end)
      shared.push(volatile && read === READ_BUFFER)
      if (text.length >= bytes) resolve({ text, shared })
    })
  })
}

test('a plain socket is read into the shared buffer', async () => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  const port = await listen(server)
  const accepted: Promise<Socket[]> = once(server, 'connection')
  const client = connect(port, '127.0.0.1')
  open.push(client)
  const [socket] = await accepted
  if (socket === undefined) throw new Error('no socket')
  const read = readUntil(socket, 5)
  client.write('hello')
  const { text, shared } = await read
  expect(text).toBe('hello')
  expect(shared).not.toContain(false)
})

test('a TLS socket is read into the shared buffer, after what came before anybody read', async () => {
  const server = createTlsServer({ cert, key })
  const port = await listen(server)
  const accepted: Promise<Socket[]> = once(server, 'secureConnection')
  const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  open.push(client)
  client.write('first ')
  const [socket] = await accepted
  if (socket === undefined) throw new Error('no socket')
  if (socket.readableLength === 0) await once(socket, 'readable')
  const read = readUntil(socket, 12)
  client.write('second')
  const { text, shared } = await read
  expect(text).toBe('first second')
  expect(shared.at(0)).toBe(false)
  expect(shared.at(-1)).toBe(true)
})

test('the end of what is read is told as by any socket', async () => {
  const server = createTlsServer({ cert, key })
  const port = await listen(server)
  const accepted: Promise<Socket[]> = once(server, 'secureConnection')
  const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  open.push(client)
  const [socket] = await accepted
  if (socket === undefined) throw new Error('no socket')
  const ended = once(socket, 'end')
  const read = readUntil(socket, 4)
  client.end('last')
  expect((await read).text).toBe('last')
  await ended
})
