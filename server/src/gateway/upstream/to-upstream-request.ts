/** What the target gets to see of an exchange. */
import type { Body } from '../../kernel/body.ts'
import type { Exchange } from '../../kernel/exchange.ts'
import { removeDisguised } from '../../kernel/field-syntax.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import type { CompiledRoute } from '../runtime.ts'
import type { UpstreamRequest } from './client.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Builds the request for one attempt: the path that was matched behind the target's own, the fields that are left of
 * the client's, what the gateway knows of the client (`x-forwarded-*`), the request's id, and the upstream's credentials.
 */
export function toUpstreamRequest(
  exchange: Exchange,
  route: CompiledRoute,
  spec: UpstreamSpec,
  endpoint: Endpoint,
  body: Body,
): UpstreamRequest {
  const { request, forwardPath } = exchange
  const strippedLength = forwardPath === undefined ? route.strippedLength : 0
  const fields = request.fields.clone()
  if (spec.headers.length > 0) setCredentials(fields, spec.headers)
  fields.append('x-forwarded-for', request.peer.ip)
  fields.append('x-forwarded-proto', request.peer.scheme)
  fields.append('x-forwarded-host', request.authority)
  fields.append('x-request-id', exchange.id)
  // RFC 9110 §7.6.3: the protocol version that the message came in, and who passes it on.
  fields.append(
    'via',
    request.version === '2' ? '2 headgate' : request.version === '1.0' ? '1.0 headgate' : '1.1 headgate',
  )
  return {
    method: request.method,
    path: toForwardedPath(forwardPath ?? request.path, request.query, strippedLength, endpoint.basePath),
    authority: route.spec.preserveHost ? request.authority : endpoint.authority,
    scheme: endpoint.scheme,
    fields,
    body,
    upgrade: request.upgrade,
    acceptsTrailers: request.acceptsTrailers,
  }
}

/** A client's own field of such a name must not count, in whatever spelling the target takes for the same. */
function setCredentials(fields: Fields, headers: UpstreamSpec['headers']): void {
  removeDisguised(fields, (plainName) => headers.some(({ name }) => name === plainName))
  for (const { name, value } of headers) fields.set(name, value)
}

/** The public path without its first `strippedLength` characters, behind the target's base path. */
export function toForwardedPath(
  path: string,
  query: string | undefined,
  strippedLength: number,
  basePath: string,
): string {
  let forwarded = strippedLength === 0 ? path : path.slice(strippedLength)
  if (forwarded === '') forwarded = '/'
  if (basePath !== '') forwarded = basePath + forwarded
  return query === undefined ? forwarded : forwarded + '?' + query
}
