/**
 * The HTTP side of the control plane: finds the operation, reads the request within bounds, and writes what
 * `dispatch.ts` answers or refuses. Hono finds routes; everything that decides is ours.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono, type Context } from 'hono'
import { toProblemJson, type Problem } from '../kernel/problem.ts'
import { anonymous, type Actor } from './actor.ts'
import { authenticate } from './authenticate.ts'
import { toCallerAddress } from './caller-address.ts'
import { ControlError, refuse } from './control-error.ts'
import type { Control } from './control.ts'
import type { AdminRoute, Answer } from './define-route.ts'
import { dispatch } from './dispatch.ts'
import { toOpenApi } from './openapi.ts'
import { MERGE_PATCH } from './resources/merge-patch.ts'
import { serveReference } from './reference/serve-reference.ts'
import { serveHealth } from './serve-health.ts'
import { internal, methodNotAllowed, notFound, tooLarge, unauthenticated, unreadable } from './problems.ts'
import { checkCsrfToken, checkOrigin, type Sender } from './sessions/check-origin.ts'
import type { Visit } from './sessions/session-store.ts'

const PREFIX = '/api/v1'
const MOST_BODY_BYTES = 1024 * 1024

export interface ControlServer {
  readonly port: number
  close(): Promise<void>
}

/** The application alone, for a server or a test. */
export function createControlApp(control: Control, routes: readonly AdminRoute[]): Hono {
  const app = new Hono()
  const methodsByPath = new Map<string, Set<string>>()
  for (const route of routes) {
    const path = PREFIX + toHonoPath(route.path)
    app.on(route.method, path, (context) => answerWith(control, route, context))
    methodsByPath.set(path, (methodsByPath.get(path) ?? new Set()).add(route.method))
  }
  serveHealth(app, control)
  serveReference(app, PREFIX, toOpenApi(routes, control.version), control.version)
  for (const [path, methods] of methodsByPath) {
    const allow = [...methods].toSorted().join(', ')
    app.all(path, () => sendProblem(methodNotAllowed({ headers: { allow } }), newRequestId()))
  }
  app.notFound(() => sendProblem(notFound({ detail: 'There is nothing at this path.' }), newRequestId()))
  app.onError((cause) => {
    const requestId = newRequestId()
    control.log.error({ err: cause, requestId }, 'an admin request failed')
    return sendProblem(internal(), requestId)
  })
  return app
}

/** Listens; rejects when the port cannot be had. */
export async function listenForControl(app: Hono, host: string, port: number): Promise<ControlServer> {
  const listener = getRequestListener((request, env) => app.fetch(request, env))
  const limits = { requestTimeout: 120_000, headersTimeout: 10_000, maxHeaderSize: 32 * 1024 }
  const server: Server = createServer(limits, (request, response) => void listener(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  // A server that listens on a port has such an address.
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        // Gateways wait in long polls; they come again elsewhere.
        setTimeout(() => server.closeAllConnections(), 2_000).unref()
      }),
  }
}

async function answerWith(control: Control, route: AdminRoute, context: Context): Promise<Response> {
  const requestId = newRequestId()
  try {
    const { req } = context
    refuseNul(req.url, NUL_IN_URL)
    const answer = await dispatch(control, route, {
      identify: () => identify(control, route, context),
      params: req.param(),
      query: readQuery(req.url),
      readBody: () => readBody(route, context),
      ifMatch: req.header('if-match'),
      idempotencyKey: req.header('idempotency-key'),
      requestId,
      visit: toVisit(control, context),
      signal: req.raw.signal,
    })
    return sendAnswer(route, answer, requestId)
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    if (error.problem.definition.blame !== 'caller') {
      control.log.error({ err: error.cause, requestId, operation: route.id }, 'an admin operation failed')
    }
    return sendProblem(error.problem, requestId)
  }
}

async function identify(control: Control, { permission }: AdminRoute, { req }: Context): Promise<Actor> {
  const sender: Sender = { method: req.method, host: new URL(req.url).host, field: (name) => req.header(name) }
  if (typeof permission !== 'string' && permission.door === 'public') {
    // Also without a session: nobody else's page signs a browser in.
    checkOrigin(sender, control.publicUrl)
    return anonymous
  }
  const actor = await authenticate(control, req.header('authorization'), req.header('cookie'))
  if (actor?.session !== undefined) {
    checkOrigin(sender, control.publicUrl)
    checkCsrfToken(sender, actor.session.token)
  }
  return actor ?? refuse(unauthenticated({ headers: { 'www-authenticate': 'Bearer realm="headgate"' } }))
}

function toVisit({ trustedProxies }: Control, context: Context): Visit {
  const { req } = context
  const peer = getConnInfo(context).remote.address ?? ''
  const address = toCallerAddress(peer, req.header('x-forwarded-for'), trustedProxies)
  return { address, cookie: req.header('cookie'), agent: req.header('user-agent') ?? '' }
}

/** A parameter that stands twice is refused where its schema does not know it: the first one would count silently. */
function readQuery(url: string): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [key, value] of new URL(url).searchParams)
    query[Object.hasOwn(query, key) ? `${key} (twice)` : key] = value
  return query
}

async function readBody(route: AdminRoute, { req }: Context): Promise<unknown> {
  const most = route.maxBodyBytes ?? MOST_BODY_BYTES
  const bytes = await readBytes(req.raw.body, most)
  if (bytes.length === 0) return undefined
  const type = req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json' && !(route.method === 'PATCH' && type === MERGE_PATCH))
    refuse(unreadable({ detail: `The content type ${type ?? 'that is missing'} is not taken.` }))
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    refuseNul(text, NUL_IN_JSON)
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof ControlError) throw cause
    return refuse(unreadable({ detail: cause instanceof Error ? cause.message.slice(0, 200) : undefined, cause }))
  }
}

/** NUL as JSON escapes it, and not a backslash before the letters. */
const NUL_IN_JSON = /(?<!\\)(?:\\\\)*\\u0000/
const NUL_IN_URL = /%00/

/** No text that is kept may hold the character NUL: PostgreSQL has no way to say it. */
function refuseNul(text: string, written: RegExp): void {
  if (written.test(text)) refuse(unreadable({ detail: 'The character NUL is not taken.' }))
}

async function readBytes(body: ReadableStream<Uint8Array> | null, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body ?? []) {
    length += piece.length
    if (length > most) refuse(tooLarge({ detail: `At most ${most} bytes are taken here.` }))
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function sendAnswer(route: AdminRoute, answer: Answer<unknown>, requestId: string): Response {
  const { status = 200, body, etag, headers, cookies = [] } = answer
  const fields = new Headers({ 'x-request-id': requestId, 'cache-control': 'no-store', ...headers })
  for (const cookie of cookies) fields.append('set-cookie', cookie)
  if (etag !== undefined) fields.set('etag', `"${etag}"`)
  if (body === undefined) return new Response(null, { status, headers: fields })
  fields.set('content-type', route.mediaType ?? 'application/json')
  const text = route.mediaType !== undefined && typeof body === 'string' ? body : JSON.stringify(body)
  return new Response(text, { status, headers: fields })
}

function sendProblem(problem: Problem, requestId: string): Response {
  return new Response(toProblemJson(problem, requestId, problem.definition.remedy), {
    status: problem.definition.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...problem.headers,
    },
  })
}

function newRequestId(): string {
  return randomUUID().replaceAll('-', '')
}

/** `/apis/{api}` to `/apis/:api`. */
function toHonoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}
