/**
 * The head of the audit, signed and kept outside of the store. A chain of hashes shows what was changed in its middle; that
 * its end was cut off only shows who knows how far it went. The file in the data folder is one such witness, an exported
 * head (`GET /audit/head`) that somebody keeps elsewhere is a better one.
 */
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import { isSignedBy } from '../../kernel/signing-chain.ts'
import { readIfThere, replaceFile } from '../../kernel/whole-file.ts'
import type { Control } from '../control.ts'
import { toTime } from '../resources/resource-view.ts'
import { FIRST_HASH } from './append-audit.ts'

export const auditHead = z.strictObject({
  seq: z.int().min(0),
  hash: z.string(),
  at: z.iso.datetime(),
  publicKey: z.string().meta({ description: 'PEM of the Ed25519 key that made the signature.' }),
  signature: z.string(),
})

export type AuditHead = z.output<typeof auditHead>

type KeepingControl = Pick<Control, 'database' | 'keys' | 'clock' | 'log'>

const FILE = 'audit-head.json'
const KEEP_MS = 10_000

export async function signHead({ database, keys, clock }: KeepingControl): Promise<AuditHead> {
  const last = await database.read
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  const { seq, hash } = last ?? { seq: 0, hash: FIRST_HASH }
  const at = toTime(clock.now())
  return { seq, hash, at, publicKey: keys.publicKey, signature: keys.sign(toHeadText({ seq, hash, at })) }
}

/** Whether somebody with the key that it names made it. Whose key that is, its reader has to know. */
export function isRightHead(head: AuditHead): boolean {
  return isSignedBy(head.publicKey, toHeadText(head), head.signature)
}

/** Why the audit is not the one of the head; undefined when it goes on from there. */
export async function findContradiction(db: Kysely<Tables>, head: AuditHead): Promise<string | undefined> {
  if (head.seq === 0) return undefined
  const entry = await db.selectFrom('audit').select('hash').where('seq', '=', head.seq).executeTakeFirst()
  if (entry === undefined) return `ends before entry ${head.seq}, which was there at ${head.at}`
  return entry.hash === head.hash ? undefined : `has another entry ${head.seq} than at ${head.at}`
}

/** The head in a file; undefined when there is none. Throws when it is no head. */
export function readHead(path: string): AuditHead | undefined {
  const text = readIfThere(path)
  if (text === undefined) return undefined
  try {
    return auditHead.parse(JSON.parse(text))
  } catch (error) {
    throw new Error(`${path} holds no head of an audit.`, { cause: error })
  }
}

export function headPath(folder: string): string {
  return join(folder, FILE)
}

/** Writes the head into the folder as the audit grows, until the function that it returns is called. */
export function keepHead(control: KeepingControl, folder: string): () => Promise<void> {
  const path = headPath(folder)
  const look = (): Promise<void> =>
    writeHead(control, path).catch((cause: unknown) => {
      control.log.error({ err: cause }, 'the head of the audit cannot be kept')
    })
  let looking = look()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, KEEP_MS)
  return async () => {
    clearInterval(timer)
    await looking
    await look()
  }
}

/** A head that the store contradicts stays: it is the evidence. */
async function writeHead(control: KeepingControl, path: string): Promise<void> {
  const before = readHead(path)
  const contradiction = before === undefined ? undefined : await findContradiction(control.database.read, before)
  if (contradiction !== undefined) {
    control.log.error({ path }, `the audit was tampered with, or the store restored: it ${contradiction}`)
    return
  }
  const head = await signHead(control)
  if (head.seq === before?.seq) return
  replaceFile(path, `${JSON.stringify(head, undefined, 2)}\n`)
}

function toHeadText({ seq, hash, at }: Pick<AuditHead, 'seq' | 'hash' | 'at'>): string {
  return `headgate audit head\n${seq}\n${hash}\n${at}\n`
}
