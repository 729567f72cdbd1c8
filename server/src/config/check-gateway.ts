/** Refuses settings of the gateway that contradict each other or would have no effect. */
import { isIP } from 'node:net'
import { checkCertificate } from './certificates.ts'
import type { Findings } from './findings.ts'
import type { GatewaySettings } from './schema/gateway.ts'

/** `certificates` is how many the document has besides. */
export function checkGateway(
  gateway: GatewaySettings,
  findings: Findings,
  scope: 'whole' | 'part',
  certificates: number,
): void {
  gateway.trustedProxies.forEach((network, index) => {
    if (isNetwork(network)) return
    const hint = 'Write an address such as 10.0.0.1, or a network such as 10.0.0.0/8 or fd00::/8.'
    findings.report(['gateway', 'trustedProxies', index], 'this is not an address or a network', { hint })
  })
  if (gateway.proxyProtocol && gateway.trustedProxies.length === 0) {
    const hint = 'Name the load balancer in `gateway.trustedProxies`.'
    findings.report(['gateway', 'proxyProtocol'], 'no proxy is trusted to send PROXY headers', { hint })
  }
  if (gateway.forwardedField === 'forwarded' && gateway.trustedProxies.length === 0) {
    const hint = 'Name the proxies that write it in `gateway.trustedProxies`.'
    findings.report(['gateway', 'forwardedField'], 'has no effect: no proxy is trusted', { hint })
  }
  if (gateway.limits.maxTargetBytes > gateway.limits.maxHeadBytes) {
    const hint = 'Raise `maxHeadBytes`, of which the target is a part.'
    findings.report(['gateway', 'limits', 'maxTargetBytes'], 'is more than the whole head may have', { hint })
  }
  if (scope === 'whole' && certificates === 0 && gateway.tls?.certificates.length === 0) {
    const hint = 'Add one with `cert` and `key`, or one to `certificates`.'
    findings.report(['gateway', 'tls', 'certificates'], 'TLS needs a certificate', { hint })
  }
  checkTls(gateway.tls, findings)
}

function checkTls(tls: GatewaySettings['tls'], findings: Findings): void {
  if (tls === undefined) return
  tls.certificates.forEach(({ cert, key }, index) => {
    checkCertificate(cert, key, ['gateway', 'tls', 'certificates', index], 'cert', findings)
  })
  if (tls.clientCa !== undefined) checkCertificate(tls.clientCa, undefined, ['gateway', 'tls'], 'clientCa', findings)
  if (tls.clientCa !== undefined && tls.clientCertificate === 'none') {
    const hint = 'Set `clientCertificate` to request or require, or remove the CA.'
    findings.report(['gateway', 'tls', 'clientCa'], 'has no effect: clients are not asked for a certificate', { hint })
  }
  if (tls.clientCa === undefined && tls.clientCertificate !== 'none') {
    const hint = 'Add `clientCa`, the authority that signs the certificates of your clients.'
    findings.report(['gateway', 'tls', 'clientCertificate'], 'no authority is given to check certificates by', { hint })
  }
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}
