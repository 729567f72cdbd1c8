/** Passwords of local users: argon2id (RFC 9106) in the form of the PHC strings, computed off the main thread. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { createBoundedTurns } from '../bounded-turns.ts'
import { signInBusy } from '../sessions/session-problems.ts'

const derive = promisify(argon2)

/** 19 MiB, two passes, one lane: the least that OWASP recommends for argon2id. */
const MEMORY_KIB = 19_456
const PASSES = 2
const LANES = 1
const SALT_BYTES = 16
const TAG_BYTES = 32

/** Anybody may make us compute, so two threads of Node's four are the most that it takes, and the queue has an end. */
const inTurn = createBoundedTurns({
  mostAtOnce: 2,
  mostWaiting: 64,
  busy: () => signInBusy({ headers: { 'retry-after': '2' } }),
})

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const tag = await compute(password, salt, { memory: MEMORY_KIB, passes: PASSES, parallelism: LANES })
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${toBase64(salt)}$${toBase64(tag)}`
}

/** Takes as long for an account without a password as for one that has another. */
export async function verifyPassword(password: string, kept: string): Promise<boolean> {
  // Also where it is not needed: the first one makes it, which takes time.
  const other = await nobody()
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(kept) ?? PHC.exec(other) ?? []
  if (salt === undefined || tag === undefined) return false
  const costs = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const computed = await compute(password, Buffer.from(salt, 'base64'), costs)
  const wanted = Buffer.from(tag, 'base64')
  return PHC.test(kept) && computed.length === wanted.length && timingSafeEqual(computed, wanted)
}

interface Costs {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

function compute(password: string, nonce: Buffer, costs: Costs): Promise<Buffer> {
  return inTurn(() => derive('argon2id', { message: password, nonce, tagLength: TAG_BYTES, ...costs }))
}

let ofNobody: Promise<string> | undefined

/** What is compared with where there is no account: nobody knows its password. */
function nobody(): Promise<string> {
  ofNobody ??= hashPassword(randomBytes(32).toString('base64'))
  return ofNobody
}

function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
