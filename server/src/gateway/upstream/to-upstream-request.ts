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
 * the client's, the upstream's credentials, and what the gateway knows of the client.
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
  return {
    method: request.method,
    path: toForwardedPath(forwardPath ?? request.path, request.query, strippedLength, endpoint.basePath),
    authority: route.preserveHost ? request.authority : endpoint.authority,
    scheme: endpoint.scheme,
    fields: spec.headers.length === 0 ? request.fields : withCredentials(request.fields, spec.headers),
    forwarded: exchange,
    body,
    upgrade: request.upgrade,
    acceptsTrailers: request.acceptsTrailers,
  }
}

/** A client's own field of such a name must not count, in whatever spelling the target takes for the same. */
function withCredentials(fields: Fields, headers: UpstreamSpec['headers']): Fields {
  const own = fields.clone()
  removeDisguised(own, (plainName) => headers.some(({ name }) => name === plainName))
  for (const { name, value } of headers) own.set(name, value)
  return own
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
