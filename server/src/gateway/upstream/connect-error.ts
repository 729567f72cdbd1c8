/** Why no connection came about, from the errors of `node:net` and `node:tls`. */
import { UpstreamError } from './client.ts'

/** Codes of OpenSSL's certificate checks and of Node's own; everything else happened below TLS. */
const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH)/

export function toConnectError(cause: Error): UpstreamError {
  if (cause instanceof UpstreamError) return cause
  const code = 'code' in cause ? String(cause.code) : cause.message
  const kind = TLS_CODE.test(code) ? 'tls' : 'connect'
  return new UpstreamError(kind, 'nothing', `The target could not be reached (${code}).`, cause)
}
