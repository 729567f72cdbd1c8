/**
 * Certificates for tests, made while they run: X.509 v3 (RFC 5280) in DER, written by hand, with P-256 keys. Nothing
 * to install, nothing that expires in the repository.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
  readonly commonName: string
  /** SHA-256 over the DER form, as Node writes it. */
  readonly fingerprint256: string
}

export interface CertificateOptions {
  /** DNS names and IP addresses that the certificate proves. */
  readonly names?: readonly string[]
  readonly issuer?: TestCertificate
  /** A certificate authority; so is every certificate without issuer. */
  readonly authority?: boolean
  readonly notAfter?: Date
}

/** Makes a certificate, signed by its issuer or else by itself. */
export function createCertificate(commonName: string, options: CertificateOptions = {}): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { issuer, names = [], notAfter = new Date(Date.now() + 86_400_000) } = options
  const isAuthority = options.authority ?? issuer === undefined
  const tbs = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    toName(issuer?.commonName ?? commonName),
    sequence(toTime(new Date(Date.now() - 3_600_000)), toTime(notAfter)),
    toName(commonName),
    createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...toExtensions(isAuthority, names))),
  )
  const signature = sign('sha256', tbs, issuer?.privateKey ?? privateKey)
  const der = sequence(tbs, ECDSA_SHA256, bitString(signature))
  const cert = `-----BEGIN CERTIFICATE-----\n${toLines(der.toString('base64'))}\n-----END CERTIFICATE-----\n`
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { cert, key, privateKey, commonName, fingerprint256: new X509Certificate(cert).fingerprint256 }
}

/** PEM allows no empty line, which a text of whole lines would end in if each line brought its break along. */
function toLines(base64: string): string {
  return (base64.match(/.{1,64}/g) ?? []).join('\n')
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts)
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value)
}

function bitString(value: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), value)
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'))
}

const ECDSA_SHA256 = sequence(objectId('2a8648ce3d040302'))
const COMMON_NAME = objectId('550403')

function toName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(commonName)))))
}

function toTime(time: Date): Buffer {
  return tagged(0x18, Buffer.from(time.toISOString().replace(/[-:T]|\.\d+/g, '')))
}

function toExtensions(isAuthority: boolean, names: readonly string[]): Buffer[] {
  const truth = tagged(0x01, Buffer.from([0xff]))
  const constraints = sequence(...(isAuthority ? [truth] : []))
  const extensions = [sequence(objectId('551d13'), truth, tagged(0x04, constraints))]
  if (names.length > 0)
    extensions.push(sequence(objectId('551d11'), tagged(0x04, sequence(...names.map(toSubjectName)))))
  return extensions
}

/** A name of subjectAltName: dNSName or iPAddress (RFC 5280 §4.2.1.6). */
function toSubjectName(name: string): Buffer {
  if (isIP(name) === 4) return tagged(0x87, Buffer.from(name.split('.').map(Number)))
  if (name === '::1') return tagged(0x87, Buffer.from([...new Uint8Array(15), 1]))
  return tagged(0x82, Buffer.from(name))
}
