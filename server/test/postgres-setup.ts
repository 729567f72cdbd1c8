/**
 * Vitest's global setup: one PostgreSQL for a whole run, started when the first test asks for it, since most runs of a
 * few files need none. Tests run in processes of their own, so they ask over a socket.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { findPostgres, startPostgresServer, type PostgresServer } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers the URL of the server's database `postgres`; empty where PostgreSQL is neither installed nor demanded. */
    postgresAt: string
  }
}

export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  let started: Promise<PostgresServer> | undefined
  const door = createServer((_request, response) => {
    started ??= startPostgresServer({ fsync: 'off' })
    started.then(
      (server) => response.end(server.url('postgres')),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  const isDemanded = process.env['CI'] === 'true' || findPostgres() !== undefined
  provide('postgresAt', isDemanded ? `http://127.0.0.1:${(door.address() as AddressInfo).port}` : '')
  return async () => {
    door.closeAllConnections()
    door.close()
    await started?.then((server) => server.stop())
  }
}
