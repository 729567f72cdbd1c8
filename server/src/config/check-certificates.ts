/** Refuses certificates of a document that no client would take, or that have no effect. */
import { provesName, readChain } from './certificate-chain.ts'
import { checkCertificate } from './certificates.ts'
import type { Findings } from './findings.ts'
import type { ConfigDocument } from './schema/document.ts'

export function checkCertificates({ certificates }: ConfigDocument, findings: Findings): void {
  certificates.forEach(({ chain, key, names = [] }, index) => {
    const path = ['certificates', index]
    const leaf = readChain(chain)
    if (typeof leaf === 'string') {
      const hint = 'Write `file:` and the path of a PEM file that begins with the certificate of the server itself.'
      findings.report([...path, 'chain'], leaf, { hint })
      return
    }
    checkCertificate(chain, key, path, 'chain', findings)
    names.forEach((name, at) => {
      if (provesName(leaf, name)) return
      const hint = 'Remove it, or name a certificate that is for it.'
      findings.report([...path, 'names', at], 'the certificate is not for this name', { hint })
    })
  })
}

/** What only a control plane does has no effect in a file that a gateway runs. */
export function checkOnlyControl({ webhooks }: ConfigDocument, findings: Findings): void {
  if (webhooks.length === 0) return
  const hint = 'Remove them, or apply the file to a control plane (`headgate apply`), which sends events.'
  findings.report(['webhooks'], 'webhooks have no effect: a gateway that runs from a file sends none', {
    at: 'key',
    hint,
  })
}
