/** Why no connection came about, from the errors of `node:net` and `node:tls`. */
import { UpstreamError } from './client.ts'

/** `isReached`: the target had accepted the connection, so that what failed is the handshake of TLS. */
export function toConnectError(cause: Error, isReached: boolean): UpstreamError {
  if (cause instanceof UpstreamError) return cause
  const code = 'code' in cause ? String(cause.code) : cause.message
  if (isReached) return new UpstreamError('tls', 'nothing', `The handshake with the target failed (${code}).`, cause)
  return new UpstreamError('connect', 'nothing', `The target could not be reached (${code}).`, cause)
}
