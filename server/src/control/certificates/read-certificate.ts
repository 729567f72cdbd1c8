/** What stands in a certificate: its chain, the names that it is for, how long it counts. */
import type { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { provesName, readChain as readPemChain, serverNames } from '../../config/certificate-chain.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'

const DAY_MS = 86_400_000

/** Less time than this is worth a warning: most authorities renew earlier. */
const EXPIRING_DAYS = 21

/** The certificate of the server itself; refuses a chain that a client could not follow. */
export function readChain(chain: string): X509Certificate {
  const leaf = readPemChain(chain)
  return typeof leaf === 'string' ? refuseAt('/chain', leaf) : leaf
}

/** Refuses a key that TLS would not take with the chain, before a gateway has to; `document` holds the key itself. */
export function checkPair(document: JsonObject): void {
  const { key } = document
  try {
    createSecureContext({ cert: chainOf(document), key: typeof key === 'string' ? key : '', minVersion: 'TLSv1.2' })
  } catch {
    // What is wrong inside is OpenSSL's own wording, and could quote the text.
    refuseAt('/key', 'this is no private key in PEM form that belongs to the certificate and is strong enough')
  }
}

/** Refuses names that the certificate does not prove: no client would take it, and others could no longer have them. */
export function checkNames({ names }: JsonObject, leaf: X509Certificate): void {
  if (!Array.isArray(names)) return
  const errors = names.flatMap((name, index) => {
    const isProved = typeof name === 'string' && provesName(leaf, name)
    return isProved ? [] : [{ pointer: `/names/${index}`, detail: 'the certificate is not for this name' }]
  })
  if (errors.length > 0) refuse(invalid({ detail: 'The certificate is not for all of the names.', errors }))
}

/** Names for SNI. */
export function namesOf({ names }: JsonObject, leaf: X509Certificate): string[] {
  const given: readonly unknown[] = Array.isArray(names) ? names : []
  return serverNames(
    leaf,
    given.filter((name) => typeof name === 'string'),
  )
}

/** What is shown of a certificate beside its document. */
export function describeCertificate(document: JsonObject, nowMs: number): JsonObject {
  const leaf = readChain(chainOf(document))
  const daysLeft = Math.floor((leaf.validToDate.getTime() - nowMs) / DAY_MS)
  return {
    names: namesOf(document, leaf),
    subject: leaf.subject ?? '',
    issuer: leaf.issuer,
    serialNumber: leaf.serialNumber,
    fingerprint256: leaf.fingerprint256,
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    daysLeft,
    state: toState(leaf, nowMs, daysLeft),
  }
}

export function chainOf({ chain }: JsonObject): string {
  return typeof chain === 'string' ? chain : ''
}

function toState({ validFromDate, validToDate }: X509Certificate, nowMs: number, daysLeft: number): string {
  if (nowMs >= validToDate.getTime()) return 'expired'
  if (nowMs < validFromDate.getTime()) return 'not-yet-valid'
  return daysLeft < EXPIRING_DAYS ? 'expiring' : 'valid'
}

function refuseAt(pointer: string, detail: string): never {
  return refuse(invalid({ detail, errors: [{ pointer, detail }] }))
}
