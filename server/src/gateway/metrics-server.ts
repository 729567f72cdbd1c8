/** Metrics and health over HTTP, on the main thread, so that they answer however busy the workers are. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export interface MetricsServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** The text and its content type. */
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>
  /** Why the process should be restarted; undefined when it should not. */
  unhealthy(): string | undefined
  /** Why no traffic should come; undefined when it may. */
  unready(): string | undefined
  /** Told of a scrape that failed. */
  failed(cause: unknown): void
}

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

interface Page {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

const MAX_CONNECTIONS = 100
const REQUEST_MS = 10_000

/** Resolves when it listens; rejects when it cannot. */
export async function createMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(request, response, createPages(options)))
  server.maxConnections = MAX_CONNECTIONS
  server.requestTimeout = REQUEST_MS
  server.headersTimeout = REQUEST_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, resolve)
  })
  return { port: portOf(server), close: () => close(server) }
}

type Pages = Readonly<Record<string, () => Page | Promise<Page>>>

function createPages(options: MetricsServerOptions): Pages {
  return {
    '/metrics': async () => {
      try {
        return { status: 200, ...(await options.metrics()) }
      } catch (cause) {
        options.failed(cause)
        return { status: 500, contentType: 'text/plain', text: 'The metrics could not be put together.\n' }
      }
    },
    '/healthz': () => toHealthPage(options.unhealthy()),
    '/readyz': () => toHealthPage(options.unready()),
  }
}

function toHealthPage(reason: string | undefined): Page {
  const body = reason === undefined ? { status: 'ok' } : { status: 'unavailable', reason }
  return {
    status: reason === undefined ? 200 : 503,
    contentType: 'application/json',
    text: `${JSON.stringify(body)}\n`,
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, pages: Pages): Promise<void> {
  // A body is never expected; what comes of one is thrown away.
  request.resume()
  const [path = ''] = (request.url ?? '').split('?', 1)
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  if (page === undefined)
    return send(response, request, { status: 404, contentType: 'text/plain', text: 'Not found.\n' })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return send(response, request, { status: 405, contentType: 'text/plain', text: 'Only GET and HEAD.\n' })
  }
  return send(response, request, await page())
}

function send(response: ServerResponse, request: IncomingMessage, { status, contentType, text }: Page): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Answers what is under way and drops idle connections. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
