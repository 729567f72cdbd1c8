/** What a caller is told when an upstream gave no answer that could be passed on. */
import { BodyProblem } from '../../kernel/body-problem.ts'
import { defineProblem, type Problem, type ProblemFactory } from '../../kernel/problem.ts'
import { malformedResponse } from '../http1/problems.ts'
import { UpstreamError, type UpstreamErrorKind } from './client.ts'

export const noTarget = defineProblem({
  code: 'upstream.no_target',
  status: 503,
  title: 'No target available',
  blame: 'upstream',
  proxyError: 'destination_unavailable',
  remedy:
    'Every target of the upstream is switched off by its circuit breaker, or none is known. See why the targets fail; traffic comes back by itself.',
})

export const connectFailed = defineProblem({
  code: 'upstream.connect_failed',
  status: 502,
  title: 'Upstream unreachable',
  blame: 'upstream',
  proxyError: 'connection_refused',
  remedy: 'No connection to the target came about. See that it runs and that its address, port and firewall are right.',
})

export const connectTimeout = defineProblem({
  code: 'upstream.connect_timeout',
  status: 504,
  title: 'Upstream did not accept the connection in time',
  blame: 'upstream',
  proxyError: 'connection_timeout',
  remedy:
    'The target did not accept a connection within `timeouts.connectSeconds`. See whether it is overloaded or behind a firewall that drops packets.',
})

export const tlsFailed = defineProblem({
  code: 'upstream.tls_failed',
  status: 502,
  title: 'No TLS with the upstream',
  blame: 'upstream',
  proxyError: 'tls_certificate_error',
  remedy:
    'The certificate of the target is not trusted, has expired or proves another name. Set `tls.ca` or `tls.serverName` of the upstream, or renew the certificate.',
})

export const busy = defineProblem({
  code: 'upstream.busy',
  status: 503,
  title: 'Upstream busy',
  blame: 'upstream',
  proxyError: 'connection_limit_reached',
  remedy:
    'All connections to the target are in use and the queue is full. Raise `connections.maxPerTarget`, add targets, or limit the callers.',
})

export const timedOut = defineProblem({
  code: 'upstream.timeout',
  status: 504,
  title: 'Upstream too slow',
  blame: 'upstream',
  proxyError: 'http_response_timeout',
  remedy: 'The target did not answer within the timeouts of the route or upstream. See why it is slow, or raise them.',
})

export const connectionBroken = defineProblem({
  code: 'upstream.connection_broken',
  status: 502,
  title: 'Upstream broke the connection',
  blame: 'upstream',
  proxyError: 'connection_terminated',
  remedy:
    'The target closed the connection before its answer was whole. See its log for a crash, a restart or a limit.',
})

export const requestBodyBroken = defineProblem({
  code: 'http.body_broken',
  status: 400,
  title: 'Request body broke off',
  blame: 'caller',
  proxyError: 'http_request_error',
  remedy: 'Send the whole body that the head announces.',
})

const BY_KIND: Readonly<Record<UpstreamErrorKind, ProblemFactory>> = {
  connect: connectFailed,
  'connect-timeout': connectTimeout,
  tls: tlsFailed,
  full: busy,
  timeout: timedOut,
  reset: connectionBroken,
  protocol: malformedResponse,
  'request-body': requestBodyBroken,
}

/** The problem that an error of the upstream's client is for the caller. */
export function toUpstreamProblem(error: UpstreamError): Problem {
  if (error.cause instanceof BodyProblem) return error.cause.problem
  return BY_KIND[error.kind]({ detail: error.message, cause: error })
}

/** What a break in the midst of a response was: told by the client of the target, or by the decoder of its body. */
export function toBrokenProblem(cause: Error): Problem {
  if (cause instanceof BodyProblem) return cause.problem
  return cause instanceof UpstreamError ? toUpstreamProblem(cause) : connectionBroken({ cause })
}
