// Ports for processes that have to be told theirs; a test in this process listens on port 0 instead.
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

export async function holdPort(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('A listening server has an address.')
  return { server, port: address.port }
}

/** Ports that were free a moment ago, all different because they were held at once. */
export async function findFreePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, holdPort))
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))))
  return held.map(({ port }) => port)
}

/** Resolves when a URL answers 2xx. The caller's test has the time limit. */
export async function untilReady(url: string): Promise<void> {
  for (;;) {
    // Refused while the process starts.
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
