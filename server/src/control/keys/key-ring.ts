/**
 * The keys of an installation: they lie in the database, sealed with the master key, which lies apart. Secrets are
 * sealed with the newest; older ones open what they sealed until it is sealed anew. Snapshots are signed with Ed25519.
 * A new key is used a while after it was made (`rotate-keys.ts`), when all control processes have read it.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { toEndorsementText, type Signer } from '../../kernel/signing-chain.ts'
import type { Database } from '../../db/client.ts'
import type { KeyTable } from '../../db/tables.ts'
import { newId } from '../new-id.ts'
import { MasterKeyError } from './master-key.ts'
import { open, seal } from '../../kernel/sealing.ts'

export type KeyRow = Selectable<KeyTable>
export type KeyPurpose = 'seal' | 'sign'

export interface KeyRing {
  /** `<key id>.<sealed>`; `about` says what it belongs to, and must be said again to open it. */
  seal(text: string, about: string): string
  open(sealed: string, about: string): string
  /** Base64 of the signature. */
  sign(text: string): string
  /** PEM of the key that checks signatures. */
  readonly publicKey: string
  /** The keys that came after the first one, the oldest first, each endorsed by the one before it. */
  readonly signers: readonly Signer[]
  /** A key that follows on the one with the id `previous`; undefined when this process has not read that one. */
  make(purpose: KeyPurpose, previous: string, activeAtMs: number): KeyRow | undefined
  /** Reads them again: another process may have made one. */
  refresh(): Promise<void>
}

const MOST_SIGNATURES = 100

interface Keys {
  readonly sealing: ReadonlyMap<string, { readonly key: Buffer; readonly activeAtMs: number }>
  readonly signing: readonly { readonly id: string; readonly key: KeyObject; readonly activeAtMs: number }[]
  readonly signers: readonly Signer[]
}

/** Loads the keys, and makes them the first time; throws a MasterKeyError when they were sealed with another one. */
export async function openKeyRing(database: Database, masterKey: Buffer, clock: Clock): Promise<KeyRing> {
  await makeMissing(database, masterKey, clock)
  let keys = await readKeys(database, masterKey)
  const signatures = new Map<string, { readonly key: KeyObject; readonly signature: string }>()
  const sealingKey = (): string => {
    const nowMs = clock.now()
    const newest = [...keys.sealing].findLast(([, { activeAtMs }]) => activeAtMs <= nowMs)
    return newest?.[0] ?? ''
  }
  const signingKey = (): KeyObject => {
    const nowMs = clock.now()
    const newest = keys.signing.findLast(({ activeAtMs }) => activeAtMs <= nowMs)
    if (newest === undefined) throw new Error('the key that signs snapshots is missing from the database')
    return newest.key
  }
  return {
    seal(text, about) {
      const id = sealingKey()
      return `${id}.${seal(keyOf(keys, id), text, about)}`
    },
    open(sealed, about) {
      const dot = sealed.indexOf('.')
      return open(keyOf(keys, sealed.slice(0, dot)), sealed.slice(dot + 1), about)
    },
    sign(text) {
      const key = signingKey()
      // The same few texts, one for each environment, are signed again and again.
      const known = signatures.get(text)
      if (known?.key === key) return known.signature
      if (signatures.size >= MOST_SIGNATURES) signatures.clear()
      const signature = toSignature(text, key)
      signatures.set(text, { key, signature })
      return signature
    },
    get publicKey() {
      return toPublicKey(signingKey())
    },
    get signers() {
      return keys.signers
    },
    make(purpose, previous, activeAtMs) {
      const before = keys.signing.find(({ id }) => id === previous)
      const isKnown = purpose === 'seal' ? keys.sealing.has(previous) : before !== undefined
      return isKnown ? makeKey(purpose, { masterKey, nowMs: clock.now(), activeAtMs, before: before?.key }) : undefined
    },
    async refresh() {
      keys = await readKeys(database, masterKey)
    },
  }
}

async function readKeys(database: Database, masterKey: Buffer): Promise<Keys> {
  const rows = await database.read.selectFrom('keys').selectAll().orderBy('active_at_ms').execute()
  const sealing: [string, { readonly key: Buffer; readonly activeAtMs: number }][] = []
  const signing: { readonly id: string; readonly key: KeyObject; readonly activeAtMs: number }[] = []
  for (const { id, purpose, sealed, active_at_ms: activeAtMs } of rows) {
    // Retired: nothing is left of it but who endorsed it.
    if (sealed === '') continue
    const text = openWithMaster(masterKey, sealed, id)
    if (purpose === 'seal') sealing.push([id, { key: Buffer.from(text, 'base64'), activeAtMs }])
    else if (purpose === 'sign') signing.push({ id, key: createPrivateKey(text), activeAtMs })
  }
  // Written by `makeKey`.
  const signers = rows.flatMap(({ endorsement }) => (endorsement === '' ? [] : [JSON.parse(endorsement) as Signer]))
  return { sealing: new Map(sealing), signing, signers }
}

function keyOf({ sealing }: Keys, id: string): Buffer {
  const found = sealing.get(id)
  if (found === undefined) throw new Error(`a secret was sealed with the key ${JSON.stringify(id)}, which is not there`)
  return found.key
}

/** The first start makes one key of each purpose; of two processes that start at once one does. */
async function makeMissing(database: Database, masterKey: Buffer, clock: Clock): Promise<void> {
  await database.write(async (db) => {
    for (const purpose of ['seal', 'sign'] as const) {
      const known = await db.selectFrom('keys').select('id').where('purpose', '=', purpose).executeTakeFirst()
      if (known !== undefined) continue
      const row = makeKey(purpose, { masterKey, nowMs: clock.now(), activeAtMs: 0, before: undefined })
      await db.insertInto('keys').values(row).execute()
    }
  })
}

interface Making {
  readonly masterKey: Buffer
  readonly nowMs: number
  readonly activeAtMs: number
  /** The signing key that endorses the new one. */
  readonly before: KeyObject | undefined
}

function makeKey(purpose: KeyPurpose, { masterKey, nowMs, activeAtMs, before }: Making): KeyRow {
  const id = newId('key', nowMs)
  const row = { id, purpose, created_at_ms: nowMs, active_at_ms: activeAtMs, retired_at_ms: null }
  if (purpose === 'seal') {
    return { ...row, sealed: seal(masterKey, randomBytes(32).toString('base64'), id), endorsement: '' }
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  const sealed = seal(masterKey, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), id)
  if (before === undefined) return { ...row, sealed, endorsement: '' }
  const publicKey = toPublicKey(privateKey)
  const signer: Signer = { publicKey, endorsement: toSignature(toEndorsementText(publicKey), before) }
  return { ...row, sealed, endorsement: JSON.stringify(signer) }
}

function toSignature(text: string, key: KeyObject): string {
  return sign(null, Buffer.from(text), key).toString('base64')
}

function toPublicKey(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
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
