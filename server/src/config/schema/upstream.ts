/** An upstream: a named backend with its targets and how it is called. */
import { z } from 'zod'
import { count, expression, fieldName, labels, line, name, seconds } from './quantities.ts'
import { circuitBreaker, healthCheck, outlierDetection, retries, timeouts } from './resilience.ts'

const target = z
  .strictObject({
    url: z
      .string()
      .max(2000)
      .regex(
        /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/,
        'a URL like http://host:port/path, without credentials, query or fragment',
      )
      .meta({
        title: 'URL',
        description: '`http://host:port/path` or `https://…`; the path is put before that of the route.',
      }),
    srv: z.boolean().default(false).meta({
      title: 'SRV',
      description: 'The host is the name of SRV records, which give hosts, ports, weights and priorities.',
    }),
    weight: count(1, 0, 10_000, {
      title: 'Weight',
      description: 'Share of the requests, relative to the other targets.',
    }),
    priority: count(0, 0, 100, {
      title: 'Priority',
      description: 'Group; 0 is used first, the next when no target of the lower ones is fit.',
    }),
  })
  .meta({ title: 'Target', description: 'One address of the upstream.' })

const loadBalancing = z
  .strictObject({
    algorithm: z.enum(['round-robin', 'least-requests', 'peak-ewma', 'consistent-hash']).default('round-robin').meta({
      title: 'Algorithm',
      description: '`peak-ewma` prefers targets that answer fast; `consistent-hash` keeps a caller on one target.',
    }),
    hashBy: expression({
      title: 'Hash by',
      description: 'What consistent-hash hashes: CEL that gives a string. Default: the address of the client.',
    }).optional(),
  })
  .prefault({})
  .meta({ title: 'Load balancing', description: 'How a target is chosen.' })

const connections = z
  .strictObject({
    maxPerTarget: count(512, 1, 100_000, {
      title: 'Connections',
      description: 'Most connections to one target, per worker thread.',
    }),
    maxWaiting: count(1024, 0, 1_000_000, {
      title: 'Waiting',
      description: 'Requests that may wait for a connection of a target; more are refused at once.',
    }),
    idleSeconds: seconds(30, {
      title: 'Idle time',
      description: "Idle connections are closed after it; keep it below the target's own keep-alive time.",
    }),
  })
  .prefault({})
  .meta({ title: 'Connections', description: 'The pool of connections.' })

const tls = z
  .strictObject({
    ca: z
      .string()
      .optional()
      .meta({ title: 'CA', description: 'PEM of the authority to trust, usually `file:ca.crt`.' }),
    cert: z.string().optional().meta({ title: 'Certificate', description: 'PEM of our client certificate.' }),
    key: z.string().optional().meta({ title: 'Private key', description: 'PEM of its key.', secret: true }),
    serverName: z.string().min(1).max(255).optional().meta({
      title: 'Server name',
      description: 'Name to ask for (SNI) and to find in the certificate. Default: the host of the target.',
    }),
    verify: z
      .boolean()
      .default(true)
      .meta({ title: 'Verify', description: 'False accepts any certificate: for tests only.' }),
  })
  .meta({ title: 'TLS', description: 'For https:// targets.' })

export const upstream = z
  .strictObject({
    name: name({ title: 'Name', description: 'What APIs and routes call it.' }),
    labels: labels(),
    targets: z.array(target).min(1).meta({ title: 'Targets', description: 'Where it runs.' }),
    protocol: z.enum(['http1', 'http2']).default('http1').meta({
      title: 'Protocol',
      description: 'What the targets speak; `http2` on http:// is HTTP/2 by prior knowledge, as gRPC uses it.',
    }),
    loadBalancing,
    healthCheck: healthCheck.optional(),
    outlierDetection,
    circuitBreaker: circuitBreaker.optional(),
    retries,
    timeouts,
    connections,
    tls: tls.optional(),
    headers: z
      .array(
        z.strictObject({
          name: fieldName({ title: 'Name', description: 'Name of the field.' }),
          value: line({ title: 'Value', description: 'Usually `${NAME}` or `file:…`.', secret: true }),
        }),
      )
      .default([])
      .meta({ title: 'Headers', description: 'Credentials for the upstream: fields set on every request.' }),
    resolveSeconds: seconds(
      30,
      { title: 'Resolve', description: "Time between two look-ups of the targets' names." },
      1,
    ),
  })
  .meta({ title: 'Upstream', description: 'A named backend.' })

export type UpstreamSettings = z.output<typeof upstream>
