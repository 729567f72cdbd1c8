import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import { once } from 'node:events'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { portOf } from '../../../test/ports.ts'
import { HandBody, readWhole, sendRequest, toRequest } from '../../../test/upstream-call.ts'
import { isBodySource } from '../../kernel/body.ts'
import { Fields } from '../../kernel/fields.ts'
import { Ticker } from '../ticker.ts'
import type { UpstreamError } from '../upstream/client.ts'
import { toUnresolvedEndpoints } from '../upstream/endpoint.ts'
import { openSocket } from '../upstream/open-socket.ts'
import { toUpstreamTls } from '../upstream/tls-options.ts'
import { Http2Client, type Http2ClientOptions } from './client.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

interface TestServer {
  readonly port: number
  readonly sessions: ServerHttp2Session[]
}
