/** Sends one delivery and says how it went. It goes to public addresses alone, and follows no redirect to others. */
import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isPublicAddress } from '../../config/openapi/public-address.ts'
import { lookupPublic } from '../../config/openapi/remote-fetch.ts'

const LIMIT_MS = 15_000

export interface Sent {
  /** Status of the answer; undefined when there was none. */
  readonly status: number | undefined
  /** What went wrong, for people; empty when it was received. */
  readonly detail: string
}

export interface SendOptions {
  readonly allowPrivateAddresses: boolean
  readonly signal: AbortSignal
}

/** Never rejects: whatever happens is an outcome. */
export async function sendWebhook(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { allowPrivateAddresses, signal }: SendOptions,
): Promise<Sent> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // A host that is an address is never looked up.
  if (!allowPrivateAddresses && /^[\d.]+$|:/.test(host) && !isPublicAddress(host)) {
    return { status: undefined, detail: 'The address is not public.' }
  }
  try {
    const status = await post(url, headers, body, allowPrivateAddresses, signal)
    return { status, detail: status >= 200 && status < 300 ? '' : `It was answered with the status ${status}.` }
  } catch (cause) {
    return { status: undefined, detail: toDetail(cause) }
  }
}

function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  allowPrivate: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const send = url.protocol === 'https:' ? requestSecure : requestPlain
  const fields = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'headgate',
    ...headers,
  }
  // A connection of its own: one that is kept could go to an address that was allowed for somebody else.
  const options = { method: 'POST', agent: false, headers: fields, signal: AbortSignal.any([signal, limit()]) }
  const request = send(url, { ...options, ...(allowPrivate ? {} : { lookup: lookupPublic }) }, (response) => {
    // What it says besides is of no use, and may be without end.
    response.destroy()
    resolve(response.statusCode ?? 0)
  })
  request.on('error', reject)
  request.end(body)
  return promise
}

function limit(): AbortSignal {
  return AbortSignal.timeout(LIMIT_MS)
}

function toDetail(cause: unknown): string {
  if (!(cause instanceof Error)) return 'It could not be sent.'
  if (cause.name === 'PrivateAddress') return 'The name stands for an address that is not public.'
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return 'There was no answer in time.'
  return `It could not be sent (${'code' in cause ? String(cause.code) : 'unknown error'}).`
}
