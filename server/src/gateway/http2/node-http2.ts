/** `node:http2` carries requests to HTTP/2 targets; loaded with the first of them, since it is megabytes for each thread. */
import type * as Http2 from 'node:http2'

export function nodeHttp2(): typeof Http2 {
  return process.getBuiltinModule('node:http2')
}
