/**
 * The keys of an installation: they lie in the database, sealed with the master key, which lies apart. Secrets are
 * sealed with the newest; older ones open what they sealed until it is sealed anew. Snapshots are signed with Ed25519.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../db/client.ts'
import { newId } from '../new-id.ts'
import { MasterKeyError } from './master-key.ts'
import { open, seal } from '../../kernel/sealing.ts'

export interface KeyRing {
  /** `<key id>.<sealed>`; `about` says what it belongs to, and must be said again to open it. */
  seal(text: string, about: string): string
  open(sealed: string, about: string): string
  /** Base64 of the signature. */
  sign(text: string): string
  /** PEM of the key that checks signatures. */
  readonly publicKey: string
}

/** Loads the keys, and makes them the first time; throws a MasterKeyError when they were sealed with another one. */
export async function openKeyRing(database: Database, masterKey: Buffer, clock: Clock): Promise<KeyRing> {
  await makeMissing(database, masterKey, clock)
  const rows = await database.read.selectFrom('keys').selectAll().orderBy('created_at_ms').orderBy('id').execute()
  const secrets = new Map<string, Buffer>()
  let newest = ''
  let signing: KeyObject | undefined
  for (const { id, purpose, sealed } of rows) {
    const text = openWithMaster(masterKey, sealed, id)
    if (purpose === 'seal') secrets.set((newest = id), Buffer.from(text, 'base64'))
    else if (purpose === 'sign') signing = createPrivateKey(text)
  }
  if (signing === undefined) throw new Error('the key that signs snapshots is missing from the database')
  return toKeyRing(secrets, newest, signing)
}

function toKeyRing(secrets: ReadonlyMap<string, Buffer>, newest: string, signing: KeyObject): KeyRing {
  const keyOf = (id: string): Buffer => {
    const key = secrets.get(id)
    if (key === undefined) throw new Error(`a secret was sealed with the key ${JSON.stringify(id)}, which is not there`)
    return key
  }
  return {
    seal: (text, about) => `${newest}.${seal(keyOf(newest), text, about)}`,
    open(sealed, about) {
      const dot = sealed.indexOf('.')
      return open(keyOf(sealed.slice(0, dot)), sealed.slice(dot + 1), about)
    },
    sign: (text) => sign(null, Buffer.from(text), signing).toString('base64'),
    publicKey: createPublicKey(signing).export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** The first start makes one key of each purpose; of two processes that start at once one does. */
async function makeMissing(database: Database, masterKey: Buffer, clock: Clock): Promise<void> {
  const makers = { seal: makeSealingKey, sign: makeSigningKey }
  await database.write(async (db) => {
    for (const [purpose, make] of Object.entries(makers)) {
      const known = await db.selectFrom('keys').select('id').where('purpose', '=', purpose).executeTakeFirst()
      if (known !== undefined) continue
      const id = newId('key', clock.now())
      const sealed = seal(masterKey, make(), id)
      await db
        .insertInto('keys')
        .values({
          id,
          purpose,
          sealed,
          endorsement: '',
          created_at_ms: clock.now(),
          active_at_ms: 0,
          retired_at_ms: null,
        })
        .execute()
    }
  })
}

function makeSealingKey(): string {
  return randomBytes(32).toString('base64')
}

function makeSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function openWithMaster(masterKey: Buffer, sealed: string, id: string): string {
  try {
    return open(masterKey, sealed, id)
  } catch (cause) {
    throw new MasterKeyError(
      'The keys in the database were sealed with another master key. Give the one that this installation began with ' +
        '(HEADGATE_MASTER_KEY, or `master.key` in the data folder).',
      { cause },
    )
  }
}
