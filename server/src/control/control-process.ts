/** The control plane of one process: opens the store, keeps the keys, follows the snapshots, serves the admin API. */
import { join } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { openDatabase, type Database } from '../db/client.ts'
import { migrate, MigrationError } from '../db/migrate.ts'
import { policies } from '../policies/index.ts'
import { readAdminToken } from './admin-token.ts'
import { keepHead } from './audit/audit-head.ts'
import type { TrustedProxies } from './caller-address.ts'
import { bootstrap } from './bootstrap.ts'
import type { Control, DocumentSettings } from './control.ts'
import { createDocumentRemover } from './documents/remove-documents.ts'
import { ReleaseKeeper } from './deployments/release-keeper.ts'
import { openKeyRing } from './keys/key-ring.ts'
import { keepKeys } from './keys/rotate-keys.ts'
import { MasterKeyError, readMasterKey } from './keys/master-key.ts'
import { newId } from './new-id.ts'
import { createCountRemover } from './quotas/remove-old-counts.ts'
import { routes } from './routes.ts'
import { FailedSignIns, keepFailedSignIns } from './sessions/failed-sign-ins.ts'
import { createControlApp, listenForControl, type ControlServer } from './server.ts'
import { createWebhookWorker } from './webhooks/webhook-worker.ts'
import { SnapshotFeed } from './snapshots/snapshot-feed.ts'

export interface ControlProcessOptions {
  /** Version of Headgate. */
  readonly version: string
  /** Where the embedded store and the master key lie. */
  readonly dataDir: string
  /** PostgreSQL instead of the embedded store. */
  readonly databaseUrl: string | undefined
  /** Base64 of the master key; undefined: the one in the data folder. */
  readonly masterKey: string | undefined
  /** Lets its bearer do everything; undefined: one is made at the first start. */
  readonly adminToken: string | undefined
  /** Name of the environment that a new installation gets. */
  readonly environment: string
  /** Where browsers reach the control plane. */
  readonly publicUrl: string | undefined
  /** Whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: TrustedProxies
  /** From where OpenAPI documents may be fetched, and how many bytes of them a workspace may keep. */
  readonly documents: Omit<DocumentSettings, 'cacheFolder'>
  readonly host: string
  /** Whether webhooks may go to private addresses. */
  readonly webhookPrivate: boolean
  readonly port: number
  readonly log: Log
}

/** Why the control plane cannot start, as a sentence for the operator. */
export class ControlStartError extends Error {
  override readonly name = 'ControlStartError'
}

export interface ControlProcess {
  readonly port: number
  readonly control: Control
  /** The bootstrap token, when it was made by this start. */
  readonly freshToken: string | undefined
  /** The installation began with this start. */
  readonly isNew: boolean
  stop(): Promise<void>
}

/** Serves when it resolves; rejects, and leaves nothing open, when the store or the port cannot be had. */
export async function startControl(options: ControlProcessOptions): Promise<ControlProcess> {
  try {
    return await open(options)
  } catch (cause) {
    const isOperators = cause instanceof MasterKeyError || cause instanceof MigrationError
    throw isOperators ? new ControlStartError(cause.message, { cause }) : cause
  }
}

async function open(options: ControlProcessOptions): Promise<ControlProcess> {
  const { log, dataDir } = options
  const masterKey = readMasterKey(options.masterKey, dataDir)
  const database = await openDatabase({ url: options.databaseUrl, folder: dataDir, log })
  try {
    return await start(options, database, masterKey)
  } catch (cause) {
    await database.close()
    throw cause
  }
}

async function start(options: ControlProcessOptions, database: Database, masterKey: Buffer): Promise<ControlProcess> {
  const { version, log, host, port, adminToken } = options
  await migrate(database)
  const isNew = await bootstrap(database, systemClock, policies, options.environment)
  const token = readAdminToken(adminToken, options.dataDir)
  const keys = await openKeyRing(database, masterKey, systemClock)
  const feed = new SnapshotFeed(database, log, (text) => keys.sign(text))
  await feed.start()
  const control: Control = {
    version,
    database,
    clock: systemClock,
    log,
    keys,
    failures: new FailedSignIns({ database, clock: systemClock }),
    feed,
    policies,
    documents: { ...options.documents, cacheFolder: join(options.dataDir, 'compile-cache') },
    bootstrapHash: token.hash,
    publicUrl: options.publicUrl,
    trustedProxies: options.trustedProxies,
    allowPrivateAddresses: options.webhookPrivate,
    newId: (prefix) => newId(prefix, systemClock.now()),
  }
  let server: ControlServer | undefined
  try {
    server = await listenForControl(createControlApp(control, routes), host, port)
    token.keep()
  } catch (cause) {
    await server?.close()
    await feed.close()
    throw cause
  }
  const endFailures = keepFailedSignIns(control)
  const endLoops = startLoops(control, options.dataDir)
  log.info({ version, port: server.port, store: database.dialect }, 'the control plane is ready')
  return {
    port: server.port,
    control,
    freshToken: token.fresh,
    isNew,
    async stop() {
      await endLoops()
      await feed.close()
      await server.close()
      // The last calls may have been such.
      await endFailures()
      await database.close()
    },
  }
}

/** What runs by itself; returns what ends it. */
function startLoops(control: Control, dataDir: string): () => Promise<void> {
  const endHead = keepHead(control, dataDir)
  const endKeys = keepKeys(control)
  const counts = createCountRemover(control)
  counts.start()
  const documents = createDocumentRemover(control)
  documents.start()
  const webhooks = createWebhookWorker(control, newId('process', systemClock.now()))
  webhooks.start()
  const releases = new ReleaseKeeper(control)
  releases.start()
  return async () => {
    await endHead()
    await endKeys()
    await counts.stop()
    await documents.close()
    await webhooks.close()
    await releases.close()
  }
}
