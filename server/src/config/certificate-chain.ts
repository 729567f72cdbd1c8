/** What stands in a chain of certificates, and what is wrong with it; for files and for the control plane alike. */
import { X509Certificate } from 'node:crypto'

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** RFC 9525 §6.3: the common name counts no more, and a wildcard is a whole label. */
const PROVED = { subject: 'never', partialWildcards: false } as const

/** The certificate of the server itself, or what keeps clients from following the chain, in words. */
export function readChain(chain: string): X509Certificate | string {
  const certificates: X509Certificate[] = []
  for (const [index, pem] of (chain.match(PEM_BLOCK) ?? []).entries()) {
    const certificate = parse(pem)
    if (certificate === undefined) return `certificate ${index + 1} cannot be read`
    // RFC 8446 §4.4.2: each one should certify the one before it.
    if (certificates.at(-1)?.checkIssued(certificate) === false) {
      return `certificate ${index + 1} did not issue the one before it; the server's own comes first`
    }
    certificates.push(certificate)
  }
  return certificates[0] ?? 'no certificate in PEM form stands in it'
}

/** No client would take a certificate for a name that it does not prove. */
export function provesName(leaf: X509Certificate, name: string): boolean {
  return leaf.checkHost(name, PROVED) !== undefined
}

/** Names for SNI: those that are given, else the DNS names of the certificate (RFC 9525 §2: not its common name). */
export function serverNames(leaf: X509Certificate, given: readonly string[] = []): string[] {
  if (given.length > 0) return given.map((name) => name.toLowerCase())
  const alternatives = (leaf.subjectAltName ?? '').split(', ')
  return alternatives.flatMap((each) => (each.startsWith('DNS:') ? [each.slice('DNS:'.length).toLowerCase()] : []))
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    // What is wrong inside is OpenSSL's own wording, and could quote the text.
    return undefined
  }
}
