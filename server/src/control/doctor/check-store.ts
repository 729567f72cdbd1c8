/** Looks at the store as the control plane would open it, and changes nothing in it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import { open } from '../../kernel/sealing.ts'
import { openDatabase, type Database } from '../../db/client.ts'
import { readApplied } from '../../db/migrate.ts'
import { migrations } from '../../db/migrations/index.ts'
import type { Finding } from './finding.ts'

export interface StorePlace {
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
  /** Base64 of the master key; undefined: `master.key` in the data folder. */
  readonly masterKey?: string | undefined
  readonly clock: Clock
  readonly log: Log
}

/** A write that waits longer for its turn finds the store locked. */
const PATIENCE_MS = 4_000
/** Leases tolerate two seconds between clocks. */
const MOST_SKEW_MS = 2_000

export async function checkStore(place: StorePlace): Promise<Finding[]> {
  const { dataDir, databaseUrl, log } = place
  if (databaseUrl === undefined && !existsSync(join(dataDir, 'headgate.sqlite'))) {
    return [
      { check: 'database', state: 'ok', detail: `There is no store in ${dataDir} yet; the first start makes it.` },
    ]
  }
  let database: Database
  try {
    database = await openDatabase({ url: databaseUrl, folder: dataDir, log, mustExist: true })
  } catch (cause) {
    return [unreachable(place, cause)]
  }
  try {
    return await examine(place, database)
  } catch (cause) {
    return [unreachable(place, cause)]
  } finally {
    // What waits for a lock is given up with the process.
    await Promise.race([database.close(), wait(PATIENCE_MS)])
  }
}

async function examine(place: StorePlace, database: Database): Promise<Finding[]> {
  const { rows } = await sql<{ now: number }>`select 1 as now`.execute(database.read)
  if (rows.length !== 1) throw new Error('it answers a question with nothing')
  const findings = [await checkSkew(place, database)].filter((found) => found !== undefined)
  const applied = await readApplied(database.read).catch(() => undefined)
  if (applied === undefined || applied.length === 0) {
    return [{ check: 'database', state: 'ok', detail: 'It can be reached, and has no tables yet.' }, ...findings]
  }
  const unknown = applied[migrations.length]
  if (unknown !== undefined) {
    const detail = `The data was last used by a newer Headgate: it has ${unknown.name}, which this one does not know.`
    const remedy = 'Start that version or a newer one, or restore a backup made by this version.'
    return [{ check: 'database', state: 'wrong', detail, remedy }, ...findings]
  }
  return [await checkLock(database), ...findings, await checkMasterKey(place, database)]
}

async function checkLock(database: Database): Promise<Finding> {
  const ours = database.write(async (db) => db.selectFrom('meta').select('name').limit(1).execute()).then(() => 'free')
  // Whoever waits no longer for it must not be told of its end.
  ours.catch(() => undefined)
  const outcome = await Promise.race([ours, wait(PATIENCE_MS)])
  if (outcome === 'free') {
    return { check: 'database', state: 'ok', detail: `It can be read and written (${database.dialect}).` }
  }
  const remedy =
    database.dialect === 'sqlite'
      ? 'Find who has the file open (`fuser -v .headgate/headgate.sqlite`), and end a program that does not belong there.'
      : 'Look for a transaction that does not end: `select pid, state, query from pg_stat_activity`.'
  const detail = `Somebody else has held the store locked for ${PATIENCE_MS / 1_000} seconds.`
  return { check: 'database', state: 'wrong', detail, remedy }
}

/** Only a store on another machine has another clock. */
async function checkSkew({ clock }: StorePlace, database: Database): Promise<Finding | undefined> {
  if (database.dialect !== 'postgres') return undefined
  const askedAtMs = clock.now()
  const { rows } = await sql<{
    ms: number
  }>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`.execute(database.read)
  const middleMs = (askedAtMs + clock.now()) / 2
  return toSkewFinding('the database', Number(rows[0]?.ms ?? middleMs) - middleMs)
}

/** `skewMs` is how far the other clock goes before ours. */
export function toSkewFinding(whose: string, skewMs: number): Finding {
  const seconds = Math.abs(skewMs / 1_000).toFixed(1)
  const check = `clock against ${whose}`
  if (Math.abs(skewMs) <= MOST_SKEW_MS) return { check, state: 'ok', detail: `They differ by ${seconds} seconds.` }
  const detail = `The clock of this machine and that of ${whose} differ by ${seconds} seconds.`
  const remedy = 'Let both follow a time server (`timedatectl set-ntp true`): tokens, leases and quotas go by the time.'
  return { check, state: 'wrong', detail, remedy }
}

async function checkMasterKey({ masterKey, dataDir }: StorePlace, database: Database): Promise<Finding> {
  const check = 'master key'
  const row = await database.read
    .selectFrom('keys')
    .select(['id', 'sealed'])
    .where('sealed', '<>', '')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return { check, state: 'ok', detail: 'Nothing is sealed with it yet.' }
  const text = masterKey ?? readOr(join(dataDir, 'master.key'))
  const remedy =
    'Give the one that this installation began with: HEADGATE_MASTER_KEY, or `master.key` in the data folder. ' +
    'Without it no secret in the store can be opened again.'
  if (text === undefined) {
    return { check, state: 'wrong', detail: `It is missing: there is no master.key in ${dataDir}.`, remedy }
  }
  try {
    open(Buffer.from(text.trim(), 'base64'), row.sealed, row.id)
    return { check, state: 'ok', detail: 'It opens what is sealed in the store.' }
  } catch {
    // Of another length, or another key: both open nothing.
    return { check, state: 'wrong', detail: 'It is another one than that which sealed the keys in the store.', remedy }
  }
}

function unreachable({ databaseUrl, dataDir }: StorePlace, cause: unknown): Finding {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause)
  const remedy =
    databaseUrl === undefined
      ? `Look at the files in ${dataDir}; restore a backup when they are damaged: headgate restore FILE`
      : 'Check HEADGATE_DATABASE_URL, and that PostgreSQL runs and lets this machine and user in.'
  return { check: 'database', state: 'wrong', detail: `It cannot be used: ${withoutPassword(reason)}`, remedy }
}

/** A message may quote the URL that was tried. */
function withoutPassword(text: string): string {
  return text.replaceAll(/:\/\/[^@/\s]*@/g, '://…@').slice(0, 300)
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // That it cannot be read is what the caller says.
    return undefined
  }
}

function wait(ms: number): Promise<'late'> {
  return new Promise((resolve) => void setTimeout(resolve, ms, 'late').unref())
}
