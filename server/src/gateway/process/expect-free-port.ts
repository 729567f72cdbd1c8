/**
 * Workers share their port with each other, and would share it with another gateway's: its clients were answered from
 * either configuration. So the port is taken alone for a moment before the first worker opens it.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Rejects with the error of `listen` (EADDRINUSE, EACCES) when the port cannot be had. */
export async function expectFreePort(host: string, port: number): Promise<void> {
  if (port === 0) return
  const probe = createServer()
  probe.listen({ host, port })
  await once(probe, 'listening')
  probe.close()
  await once(probe, 'close')
}
