/**
 * What Headgate answers to a message that breaks HTTP/1.1, and the ready-made occurrences that the parser returns.
 *
 * Attackers choose this path, so nothing is built for it: every flaw is one constant, said once and answered as the
 * caller's fault in a request and as the upstream's in a response.
 */
import { defineProblem, type Problem, type ProblemFactory } from '../../kernel/problem.ts'

export const malformedRequest = defineProblem({
  code: 'http.malformed_request',
  status: 400,
  title: 'Malformed request',
  blame: 'caller',
  remedy: 'Send the request as RFC 9112 writes it; `detail` names the rule that it breaks.',
  proxyError: 'http_request_error',
})

export const malformedBody = defineProblem({
  code: 'http.malformed_body',
  status: 400,
  title: 'Malformed body',
  blame: 'caller',
  remedy: 'Send chunks and trailers as RFC 9112 §7.1 writes them; `detail` names what is wrong.',
  proxyError: 'http_request_error',
})

export const lengthConflict = defineProblem({
  code: 'http.length_conflict',
  status: 400,
  title: 'The length of the body is not clear',
  blame: 'caller',
  remedy: 'Send either one Content-Length field with one number, or `Transfer-Encoding: chunked` alone.',
  proxyError: 'http_request_error',
})

export const invalidHost = defineProblem({
  code: 'http.invalid_host',
  status: 400,
  title: 'Invalid host',
  blame: 'caller',
  remedy: 'Send exactly one Host field with a host name or address, and a port where it is not the usual one.',
  proxyError: 'http_request_error',
})

export const invalidTarget = defineProblem({
  code: 'http.invalid_target',
  status: 400,
  title: 'Invalid request target',
  blame: 'caller',
  remedy: 'Percent-encode what RFC 3986 does not allow in a path or query; `detail` names what is wrong.',
  proxyError: 'http_request_error',
})

export const targetTooLong = defineProblem({
  code: 'http.target_too_long',
  status: 414,
  title: 'Request target too long',
  blame: 'caller',
  remedy: 'Shorten the URL, or raise the limit for request targets in the settings.',
})

export const fieldsTooLarge = defineProblem({
  code: 'http.fields_too_large',
  status: 431,
  title: 'Request header fields too large',
  blame: 'caller',
  remedy: 'Send fewer or shorter header fields (cookies are the usual cause), or raise the limit in the settings.',
})

export const bodyTooLarge = defineProblem({
  code: 'http.body_too_large',
  status: 413,
  title: 'Body too large',
  blame: 'caller',
  remedy: 'Send a smaller body, or raise the limit for bodies in the settings.',
})

export const requestTimeout = defineProblem({
  code: 'http.request_timeout',
  status: 408,
  title: 'The request did not arrive in time',
  blame: 'caller',
  remedy: 'Send the head and the body faster, or raise the time limits in the settings.',
})

export const versionNotSupported = defineProblem({
  code: 'http.version_not_supported',
  status: 505,
  title: 'HTTP version not supported',
  blame: 'caller',
  remedy: 'Use HTTP/1.1, HTTP/1.0 or HTTP/2.',
})

export const methodNotImplemented = defineProblem({
  code: 'http.method_not_implemented',
  status: 501,
  title: 'Method not implemented',
  blame: 'caller',
  remedy: 'Use a registered method; CONNECT and TRACE are never served.',
})

export const codingNotImplemented = defineProblem({
  code: 'http.transfer_coding_not_implemented',
  status: 501,
  title: 'Transfer coding not implemented',
  blame: 'caller',
  remedy: 'Use no transfer coding besides `chunked`; compress with Content-Encoding.',
})

export const expectationFailed = defineProblem({
  code: 'http.expectation_failed',
  status: 417,
  title: 'Expectation failed',
  blame: 'caller',
  remedy: 'Send no Expect field but `Expect: 100-continue`.',
})

export const invalidUpgrade = defineProblem({
  code: 'http.invalid_upgrade',
  status: 400,
  title: 'Invalid WebSocket handshake',
  blame: 'caller',
  remedy: 'Open a WebSocket as RFC 6455 §4.1 writes it: GET, one key of 16 bytes in base64, no body.',
  proxyError: 'http_request_error',
})

export const websocketVersion = defineProblem({
  code: 'http.websocket_version',
  status: 426,
  title: 'WebSocket version not supported',
  blame: 'caller',
  remedy: 'Use version 13 of the WebSocket protocol.',
})

export const malformedResponse = defineProblem({
  code: 'upstream.malformed_response',
  status: 502,
  title: 'The upstream sent a malformed response',
  blame: 'upstream',
  remedy: 'Let the upstream answer as RFC 9112 writes it; `detail` names the rule that it breaks.',
  proxyError: 'http_protocol_error',
})

/** One way to break the rules that both sides share. */
export interface Flaw {
  readonly inRequest: Problem
  readonly inResponse: Problem
}

export function defineFlaw(inRequest: ProblemFactory, detail: string): Flaw {
  return { inRequest: inRequest({ detail }), inResponse: malformedResponse({ detail }) }
}
