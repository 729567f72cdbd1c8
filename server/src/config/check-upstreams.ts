/** Refuses upstream settings that contradict each other or would have no effect. */
import { whyUnchangeable } from '../kernel/field-syntax.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import type { UpstreamSettings } from './schema/upstream.ts'
import { checkCertificate } from './certificates.ts'

export function checkUpstream(upstream: UpstreamSettings, path: KeyPath, findings: Findings): void {
  checkTargets(upstream, path, findings)
  checkTls(upstream, path, findings)
  if (upstream.loadBalancing.hashBy !== undefined && upstream.loadBalancing.algorithm !== 'consistent-hash') {
    const hint = 'Use `algorithm: consistent-hash`, or remove it.'
    findings.report([...path, 'loadBalancing', 'hashBy'], 'only consistent-hash reads this', { hint })
  }
  if (upstream.retries.statuses.length > 0 && upstream.retries.attempts === 0) {
    const hint = 'Allow at least 1 attempt, or remove the statuses.'
    findings.report([...path, 'retries', 'statuses'], 'nothing is tried again with 0 attempts', { hint })
  }
  upstream.headers.forEach(({ name }, index) => {
    const message = whyUnchangeable(name.toLowerCase(), 'request')
    if (message !== undefined) findings.report([...path, 'headers', index, 'name'], message, { hint: 'Remove it.' })
  })
}

function checkTargets({ targets }: UpstreamSettings, path: KeyPath, findings: Findings): void {
  if (targets.every(({ weight }) => weight === 0)) {
    const hint = 'Give one a weight above 0.'
    findings.report([...path, 'targets'], 'all targets have the weight 0, so that none is ever called', { hint })
  }
  targets.forEach((target, index) => {
    const urlPath = [...path, 'targets', index, 'url']
    if (!URL.canParse(target.url))
      findings.report(urlPath, 'this is not a URL', { hint: 'Write http://host:port/path.' })
    else if (target.srv && /^https?:\/\/[^/]*:\d+(?:\/|$)/.test(target.url)) {
      findings.report(urlPath, 'the port has no effect: SRV records give it', { hint: 'Remove the port.' })
    }
  })
}

function checkTls({ tls, targets }: UpstreamSettings, path: KeyPath, findings: Findings): void {
  if (tls === undefined) return
  const tlsPath = [...path, 'tls']
  if (!targets.some(({ url }) => url.startsWith('https:'))) {
    findings.report(tlsPath, 'has no effect: no target begins with https://', {
      hint: 'Remove it, or change the targets.',
    })
  }
  if (!tls.verify && tls.ca !== undefined) {
    findings.report([...tlsPath, 'ca'], 'has no effect with `verify: false`', { hint: 'Remove one of the two.' })
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    findings.report(tlsPath, 'a client certificate needs both `cert` and `key`', { hint: 'Add the other one.' })
  } else if (tls.cert !== undefined) checkCertificate(tls.cert, tls.key, tlsPath, 'cert', findings)
  if (tls.ca !== undefined) checkCertificate(tls.ca, undefined, tlsPath, 'ca', findings)
}
