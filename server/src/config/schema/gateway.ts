/** The gateway's own settings: TLS, limits of the listener, trust, logs and drain. All have a safe default. */
import { z } from 'zod'
import { bytes, count, seconds } from './quantities.ts'

const KIB = 1024
const MIB = 1024 * 1024
const GIB = 1024 * 1024 * 1024

const certificate = z
  .strictObject({
    cert: z.string().meta({ title: 'Certificate', description: 'PEM chain, usually `file:tls.crt`.' }),
    key: z.string().meta({ title: 'Private key', description: 'PEM, usually `file:tls.key`.', secret: true }),
    names: z.array(z.string()).default([]).meta({
      title: 'Names',
      description: 'Names (SNI) that it is shown for, `*.example.com` allowed. Default: the names in the certificate.',
    }),
  })
  .meta({ title: 'Certificate', description: 'A certificate with its key. The first is shown when no name matches.' })

export const tlsSettings = z
  .strictObject({
    certificates: z.array(certificate).default([]).meta({
      title: 'Certificates',
      description: 'Chosen by SNI. Those of the document, or that a control plane keeps, come behind them.',
    }),
    clientCa: z.string().optional().meta({
      title: 'Client CA',
      description: 'PEM of the authorities whose client certificates are accepted, usually `file:clients-ca.crt`.',
    }),
    clientCertificate: z.enum(['none', 'request', 'require']).default('none').meta({
      title: 'Client certificate',
      description: 'Whether clients are asked for a certificate (mTLS), and whether they must have one.',
    }),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').meta({
      title: 'Lowest version',
      description: 'Older versions of TLS are refused.',
    }),
  })
  .meta({ title: 'TLS', description: 'Terminates TLS; without it the gateway speaks plain HTTP.' })

const limits = z
  .strictObject({
    maxHeadBytes: bytes(32 * KIB, KIB, 1024 * KIB, {
      title: 'Largest head',
      description: 'Request line and header fields together; more is answered with 431.',
    }),
    maxFields: count(100, 8, 2000, { title: 'Most fields', description: 'Header fields of a request; more is a 431.' }),
    maxTargetBytes: bytes(8 * KIB, 128, 256 * KIB, {
      title: 'Longest target',
      description: 'Path and query of a request; more is answered with 414.',
    }),
    maxBodyBytes: bytes(10 * GIB, 0, Number.MAX_SAFE_INTEGER, {
      title: 'Largest body',
      description:
        'Bound of what is streamed through for one request. Bodies are not held in memory, so it is wide; a policy on the size of requests narrows it for an API or a route.',
    }),
    headSeconds: seconds(
      10,
      {
        title: 'Time for the head',
        description: 'From the first byte to the end of the head.',
      },
      0.1,
    ),
    idleSeconds: seconds(
      60,
      {
        title: 'Idle time',
        description:
          'A kept connection without a request, and a client that takes no more of its answer, is cut off after it.',
      },
      0.1,
    ),
    requestSeconds: seconds(300, {
      title: 'Time for a request',
      description: 'To receive head and body, until the answer begins. 0: no limit beyond the minimum rate.',
    }),
    minBodyBytesPerSecond: count(100, 0, 1_000_000_000, {
      title: 'Slowest body',
      description:
        'A request body that comes more slowly before the answer begins is broken off. 0, for streams that are silent at first: no limit.',
    }),
    maxConnections: count(20_000, 1, 10_000_000, {
      title: 'Most connections',
      description: 'Open connections of clients, for each worker thread.',
    }),
    maxInFlight: count(10_000, 1, 10_000_000, {
      title: 'Most requests at once',
      description: 'Requests being served, for each worker thread; more are answered with 503 at once.',
    }),
    maxHeldBodyBytes: bytes(256 * MIB, 64 * KIB, Number.MAX_SAFE_INTEGER, {
      title: 'Most bytes of bodies in memory',
      description:
        'Bodies that policies read whole, and bytes over HTTP/2 that wait for their upstream: all together, for each worker thread; more are answered with 503.',
    }),
    maxRequestsPerConnection: count(0, 0, Number.MAX_SAFE_INTEGER, {
      title: 'Requests per connection',
      description: 'A connection is closed after so many. 0: no limit.',
    }),
  })
  .prefault({})
  .meta({ title: 'Limits', description: 'What one client can take of the gateway.' })

const drain = z
  .strictObject({
    delaySeconds: seconds(0, {
      title: 'Delay',
      description: 'Time between saying "not ready" and refusing connections, for load balancers to notice.',
    }),
    timeoutSeconds: seconds(30, { title: 'Timeout', description: 'Time that requests in flight get to finish.' }),
  })
  .prefault({})
  .meta({ title: 'Drain', description: 'How the gateway stops on SIGTERM.' })

export const gatewaySettings = z
  .strictObject({
    tls: tlsSettings.optional(),
    limits,
    trustedProxies: z.array(z.string()).default([]).meta({
      title: 'Trusted proxies',
      description:
        'Addresses and networks (CIDR) whose forwarded fields and PROXY headers are believed. Default: nobody.',
    }),
    forwardedField: z.enum(['x-forwarded-for', 'forwarded']).default('x-forwarded-for').meta({
      title: 'Forwarded field',
      description:
        'Where trusted proxies tell of their clients: in `X-Forwarded-For` with `X-Forwarded-Proto`, or in `Forwarded` (RFC 7239). The other kind is dropped unread.',
    }),
    proxyProtocol: z.boolean().default(false).meta({
      title: 'PROXY protocol',
      description: 'Expect a PROXY header (v1 or v2) on connections from trusted proxies.',
    }),
    halfClose: z.enum(['abort', 'answer']).default('abort').meta({
      title: 'Half-close',
      description:
        'What a client is taken for that closes its sending side while it waits: gone (`abort`), or still reading (`answer`).',
    }),
    debugKey: z.string().min(16).max(1024).optional().meta({
      title: 'Debug key',
      description: 'Key that signs `x-headgate-debug`; such a request is told which policies ran and decided what.',
      secret: true,
    }),
    accessLog: z
      .strictObject({
        enabled: z.boolean().default(true).meta({ title: 'Enabled', description: 'One JSON line for each request.' }),
      })
      .prefault({})
      .meta({ title: 'Access log', description: 'Request lines on standard output.' }),
    serverTiming: z.boolean().default(true).meta({
      title: 'Server-Timing',
      description: 'Tell clients how long the gateway and the upstream took.',
    }),
    drain,
  })
  .prefault({})
  .meta({ title: 'Gateway', description: 'Settings of the gateway itself.' })

export type GatewaySettings = z.output<typeof gatewaySettings>
