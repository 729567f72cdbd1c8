/** Whether PEM texts are what they should be, so that a wrong file is refused here and not when a client connects. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import { isSecretReference } from '../kernel/secret-reference.ts'

/** Checks the certificate under `name`, and that `key` (under `key`) belongs to it. Messages say nothing of the content. */
export function checkCertificate(
  pem: string,
  key: string | undefined,
  path: KeyPath,
  name: string,
  findings: Findings,
): void {
  const certificate = parse(() => new X509Certificate(pem))
  if (certificate === undefined) {
    const hint = 'Write `file:` and the path of a PEM file.'
    findings.report([...path, name], 'this is not a certificate in PEM form', { hint })
  }
  // What a secret of the control plane is worth is looked at where it is put in.
  if (key === undefined || isSecretReference(key)) return
  const privateKey = parse(() => createPrivateKey(key))
  if (privateKey === undefined) {
    const hint = 'Write `file:` and the path of a PEM file without a passphrase.'
    findings.report([...path, 'key'], 'this is not a private key in PEM form', { hint })
  } else if (certificate !== undefined && !certificate.checkPrivateKey(privateKey)) {
    findings.report([...path, 'key'], 'the key does not belong to the certificate', {
      hint: 'Name the files of one pair.',
    })
  }
}

function parse<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    // What is wrong inside is OpenSSL's own wording, and could quote the text.
    return undefined
  }
}
