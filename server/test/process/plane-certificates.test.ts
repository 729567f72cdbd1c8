/** Certificates on their way from the admin API to the handshakes of clients. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createCertificate, type TestCertificate } from '../certificates.ts'
import { until } from './gateway-child.ts'
import { startPlane } from './plane.ts'

const authority = createCertificate('authority')

function certify(name: string): TestCertificate {
  return createCertificate(name, { names: [name], issuer: authority })
}

function toEntry(name: string, { cert, key }: TestCertificate): object {
  return { name, chain: cert, key }
}

/** A client that checks the certificate against the name it asks for, once its handshake is done. */
async function dial(port: number, servername: string): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, servername })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

async function fingerprint(port: number, servername: string): Promise<string> {
  const socket = await dial(port, servername)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

/** The first line of the answer on a connection. */
async function ask(socket: TLSSocket, host: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
  const [bytes]: unknown[] = await once(socket, 'data')
  return Buffer.isBuffer(bytes) ? bytes.toString('latin1', 0, 15) : ''
}

test(
  'each host shows its own certificate, and the new one after a rotation, without a restart',
  { timeout: 60_000 },
  async () => {
    const plane = await startPlane()
    const { process: gateway } = await plane.addGateway(['--workers', '2'])
    const [a, b, renewed] = [certify('a.test'), certify('b.test'), certify('b.test')]
    await plane.publish({ certificates: [toEntry('a', a), toEntry('b', b)] })
    const { tlsPort } = await gateway.event('the port for TLS is open')
    const port = Number(tlsPort)
    expect(await fingerprint(port, 'a.test')).toBe(a.fingerprint256)
    expect(await fingerprint(port, 'b.test')).toBe(b.fingerprint256)
    const kept = await dial(port, 'b.test')
    expect(await ask(kept, 'b.test')).toBe('HTTP/1.1 200 OK')

    const rotated = { chain: renewed.cert, key: renewed.key }
    await plane.done('PATCH', '/workspaces/default/certificates/b?environment=production', rotated)
    // So many connections come to both workers.
    await until(async () => {
      const shown = await Promise.all(Array.from({ length: 20 }, () => fingerprint(port, 'b.test')))
      return shown.every((each) => each === renewed.fingerprint256)
    })
    expect(await fingerprint(port, 'a.test')).toBe(a.fingerprint256)
    expect(await ask(kept, 'b.test')).toBe('HTTP/1.1 200 OK')
    expect(gateway.process.exitCode).toBe(null)
  },
)
