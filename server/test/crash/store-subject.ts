/** The store as what is killed: the process that writes to it, or the PostgreSQL that it writes to. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { pino } from 'pino'
import { openDatabase } from '../../src/db/client.ts'
import { startPostgresServer, type PostgresServer } from '../postgres-server.ts'
import { ChildLink } from './child-link.ts'
import type { CrashHistory, CrashSubject, Random } from './crash-rounds.ts'
import { sumName, type StorePlaceArgument } from './store-change.ts'

export type CrashKind = 'sqlite' | 'postgres' | 'postgres-server'

export const crashKinds: readonly CrashKind[] = ['sqlite', 'postgres', 'postgres-server']

const childScript = join(import.meta.dirname, 'store-child.ts')
const maxParts = 6
const maxTextLength = 2000

export interface StoreSubject extends CrashSubject {
  /** Ends everything and removes the data. */
  stop(): Promise<void>
}

/** Its data outlives every kill, until it is stopped. */
export async function createStoreSubject(kind: CrashKind): Promise<StoreSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-crash-'))
  const server = kind === 'sqlite' ? undefined : await startPostgresServer({ fsync: 'on' })
  const place: StorePlaceArgument = server === undefined ? { folder } : { folder, url: server.url('postgres') }
  let child: ChildLink | undefined
  return {
    async start() {
      if (child !== undefined) return
      child = new ChildLink(childScript, place)
      await child.ready()
    },
    async change(id: number, random: Random) {
      const parts = 1 + Math.floor(random() * maxParts)
      await child?.ask({ id, parts, text: 'x'.repeat(Math.floor(random() * maxTextLength)) })
    },
    // The writer outlives its server and goes on with the next one.
    kill: async () => {
      if (kind === 'postgres-server') return restart(server)
      await child?.kill()
      child = undefined
    },
    check: (history) => checkStore(place, history),
    async stop() {
      await child?.kill()
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function restart(server: PostgresServer | undefined): Promise<void> {
  await server?.kill()
  await server?.start()
}

async function checkStore(place: StorePlaceArgument, { acknowledged, unknown }: CrashHistory): Promise<string[]> {
  const database = await openDatabase({ url: place.url, folder: place.folder, log: pino({ level: 'silent' }) })
  const start = sql<string>`substr(value, 1, 12)`.as('value')
  const rows = await database.read.selectFrom('meta').select(['name', start]).execute()
  const integrity = database.dialect === 'sqlite' ? await sql`pragma integrity_check`.execute(database.read) : undefined
  await database.close()
  const parts = rows.filter(({ name }) => /^\d+ \d+$/.test(name))
  const changes = Map.groupBy(parts, ({ name }) => Number(name.split(' ')[0]))
  const halves = [...changes].filter(([, found]) => found.length !== Number(found[0]?.value.split(' ')[0]))
  const lost = [...acknowledged].filter((id) => !changes.has(id))
  const invented = [...changes.keys()].filter((id) => !acknowledged.has(id) && !unknown.has(id))
  const sum = Number(rows.find(({ name }) => name === sumName)?.value ?? 0)
  return [
    ...lost.map((id) => `Change ${id} was acknowledged and is gone.`),
    ...halves.map(([id]) => `Change ${id} is there in part.`),
    ...invented.map((id) => `Change ${id} was never asked for.`),
    ...(sum === parts.length ? [] : [`The sum is ${sum} where there are ${parts.length} parts.`]),
    ...(integrity?.rows ?? []).map((row) => JSON.stringify(row)).filter((row) => row !== '{"integrity_check":"ok"}'),
  ]
}
