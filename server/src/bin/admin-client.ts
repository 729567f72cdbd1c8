/** Talks to the admin API for the commands: finds where it is, and turns its problems into sentences. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../kernel/json.ts'
import { replaceFile } from '../kernel/whole-file.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

export interface Connection {
  readonly url: string
  readonly token: string
  readonly workspace: string
}

/** Something that the operator can mend; its message is for them. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
}

const DEFAULT_URL = 'http://127.0.0.1:8081'
const LIMIT_MS = 120_000

const credentials = z.strictObject({ url: z.string(), token: z.string() })
const problem = z.looseObject({
  title: z.string(),
  detail: z.string().optional(),
  remedy: z.string().optional(),
  errors: z.array(z.looseObject({ pointer: z.string(), detail: z.string(), remedy: z.string().optional() })).optional(),
})

/** A flag, else a variable, else what `headgate login` kept, else this machine. */
export function findConnection(
  flags: { readonly url?: string; readonly workspace?: string },
  { environment }: CommandSurroundings,
): Connection {
  const kept = readKept(environment)
  const url = flags.url ?? environment['HEADGATE_URL'] ?? kept?.url ?? DEFAULT_URL
  const token = environment['HEADGATE_TOKEN'] ?? (kept?.url === url ? kept.token : undefined)
  if (token === undefined) {
    throw new AdminError(`No token for ${url}. Set HEADGATE_TOKEN, or run: headgate login --url ${url}`)
  }
  return { url, token, workspace: flags.workspace ?? environment['HEADGATE_WORKSPACE'] ?? 'default' }
}

/** The path of something in the workspace of the connection; each part is one segment of it. */
export function toWorkspacePath({ workspace }: Pick<Connection, 'workspace'>, ...parts: readonly string[]): string {
  return ['/workspaces', ...[workspace, ...parts].map(encodeURIComponent)].join('/')
}

/** Calls an operation below `/api/v1`; rejects with an AdminError that says what is wrong. */
export async function callAdmin(
  { url, token }: Pick<Connection, 'url' | 'token'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<JsonObject> {
  const response = await send(url, path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(LIMIT_MS),
  })
  const text = await response.text()
  const value = parseJson(text)
  if (response.ok) return isJsonObject(value) ? value : {}
  if (response.headers.has('proxy-status')) {
    throw new AdminError(`${url} is a gateway. Name the control plane: --url ${DEFAULT_URL}, or HEADGATE_URL.`)
  }
  if (response.status === 401) {
    const remedy = `Set HEADGATE_TOKEN to another one, or run: headgate login --url ${url}`
    throw new AdminError(`${url} does not take this token: it is unknown, expired or revoked. ${remedy}`)
  }
  const parsed = problem.safeParse(value)
  throw new AdminError(
    parsed.success ? toSentences(parsed.data) : `${url} answered ${response.status}: ${text.slice(0, 200)}`,
  )
}

/** Keeps a connection for later commands, in a file that only this user can read; returns its path. */
export function keepConnection(
  connection: Pick<Connection, 'url' | 'token'>,
  { environment }: CommandSurroundings,
): string {
  const path = credentialsPath(environment)
  replaceFile(path, `${JSON.stringify(connection, undefined, 2)}\n`)
  return path
}

async function send(url: string, path: string, init: RequestInit): Promise<Response> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new AdminError(`${JSON.stringify(url)} is no URL of a control plane. Write it as ${DEFAULT_URL}.`)
  }
  try {
    return await fetch(new URL(`/api/v1${path}`, url), init)
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    const remedy = 'Start it (headgate start), or name another one: --url or HEADGATE_URL.'
    throw new AdminError(`The control plane at ${url} cannot be reached: ${reason}. ${remedy}`, { cause })
  }
}

/** What is wrong, where, and what mends it; each said once. */
function toSentences({ title, detail = title, remedy, errors = [] }: z.output<typeof problem>): string {
  const places = errors.filter(({ pointer }) => pointer !== '')
  const isToldThere = detail === title || places.some((each) => each.detail === detail)
  const lines = places.map(({ pointer, detail: what, remedy: how }) => {
    const sentence = how === undefined ? what : `${what.replace(/\.$/, '')}. ${how}`
    return `  ${pointer}: ${sentence}`
  })
  // "Mend what `errors` points at" says nothing to who reads just that.
  const remedies = remedy === undefined || remedy.includes('`errors`') ? [] : [remedy]
  return [isToldThere ? title : `${title}: ${detail}`, ...lines, ...remedies].join('\n')
}

function readKept(environment: CommandSurroundings['environment']): z.output<typeof credentials> | undefined {
  try {
    return credentials.parse(parseJson(readFileSync(credentialsPath(environment), 'utf8')))
  } catch {
    // Nobody has logged in, or the file is none of ours: the message about a missing token says what to do.
    return undefined
  }
}

function credentialsPath(environment: CommandSurroundings['environment']): string {
  return environment['HEADGATE_CREDENTIALS_FILE'] ?? join(homedir(), '.config', 'headgate', 'credentials.json')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Whatever it is, it is no JSON, and whoever asked says so.
    return undefined
  }
}
