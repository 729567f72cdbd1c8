/**
 * Fetches files over HTTP for imports. Whoever writes a document chooses what is fetched, so the connection goes only to an
 * address that was looked at: names are resolved once, and what they resolve to is checked before it is connected to.
 */
import { lookup as resolveName, type LookupAddress } from 'node:dns'
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { LookupFunction } from 'node:net'
import { FetchFault, type FetchBounds, type FetchFile } from './fetch-file.ts'
import { referenceRules } from './import-rules.ts'
import { isPublicAddress } from './public-address.ts'

export interface RemoteFetchOptions {
  /** Whether private, loopback and link-local addresses may be fetched from. */
  readonly allowPrivateAddresses: boolean
}

const MOST_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress'
}

export function createRemoteFetch({ allowPrivateAddresses }: RemoteFetchOptions): FetchFile {
  return async (url, bounds) => {
    const signal = AbortSignal.timeout(Math.max(1, bounds.timeoutMs))
    let at = url
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      checkUrl(at, bounds, allowPrivateAddresses)
      const response = await send(at, signal, allowPrivateAddresses)
      const { statusCode = 0, headers } = response
      if (!REDIRECTS.has(statusCode)) return { url: at, bytes: await readBytes(response, at, bounds.maxBytes) }
      response.destroy()
      at = toRedirected(at, headers.location)
    }
    throw unavailable(url, `is redirected more than ${MOST_REDIRECTS} times`)
  }
}

function checkUrl(url: URL, bounds: FetchBounds, allowPrivate: boolean): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw elsewhere(url)
  if (url.username !== '' || url.password !== '') throw unavailable(url, 'holds credentials, which are not sent')
  if (!bounds.allows(url)) throw elsewhere(url)
  // A host that is an address is never looked up.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivate && /^[\d.]+$|:/.test(host) && !isPublicAddress(host)) throw privateAddress(url)
}

function toRedirected(from: URL, location: string | undefined): URL {
  const to = location === undefined || !URL.canParse(location, from) ? undefined : new URL(location, from)
  if (to === undefined) throw unavailable(from, 'is redirected to nowhere')
  if (from.protocol === 'https:' && to.protocol !== 'https:')
    throw unavailable(from, 'is redirected from https to less')
  return to
}

async function send(url: URL, signal: AbortSignal, allowPrivate: boolean): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const send = url.protocol === 'https:' ? requestSecure : requestPlain
  const headers = {
    accept: 'application/json, application/yaml, */*;q=0.5',
    'user-agent': 'headgate',
    'accept-encoding': 'identity',
  }
  // A connection of its own: one that is kept could go to an address that was allowed for somebody else.
  const request = send(
    url,
    { signal, headers, agent: false, ...(allowPrivate ? {} : { lookup: lookupPublic }) },
    resolve,
  )
  request.on('error', reject)
  request.end()
  try {
    return await promise
  } catch (error) {
    throw toFault(error, url, signal)
  }
}

/** All addresses of a name have to be public: which of them is connected to is chosen elsewhere. */
export const lookupPublic: LookupFunction = (name, options, callback) => {
  resolveName(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const [first] = addresses ?? []
    if (error !== null) return callback(error, '')
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new PrivateAddress(name), '')
    }
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
  })
}

async function readBytes(response: IncomingMessage, url: URL, maxBytes: number): Promise<Uint8Array> {
  const { statusCode, headers } = response
  const encoding = headers['content-encoding'] ?? 'identity'
  try {
    if (statusCode !== 200) throw unavailable(url, `is answered with the status ${statusCode}`)
    if (encoding !== 'identity') throw unavailable(url, 'is sent compressed, which was not asked for')
    const chunks: Uint8Array[] = []
    let total = 0
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      total += chunk.length
      if (total > maxBytes)
        throw new FetchFault(referenceRules.bounds, `${toShown(url)} is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, total)
  } catch (error) {
    throw error instanceof FetchFault ? error : toFault(error, url, undefined)
  } finally {
    response.destroy()
  }
}

function toFault(error: unknown, url: URL, signal: AbortSignal | undefined): FetchFault {
  if (error instanceof PrivateAddress) return privateAddress(url)
  const isLate = signal?.aborted === true || (error instanceof Error && error.name === 'TimeoutError')
  if (isLate) return new FetchFault(referenceRules.bounds, `${toShown(url)} takes too long to fetch`)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return unavailable(url, `cannot be fetched (${code})`)
}

function unavailable(url: URL, why: string): FetchFault {
  return new FetchFault(referenceRules.unavailable, `${toShown(url)} ${why}`)
}

function elsewhere(url: URL): FetchFault {
  return new FetchFault(referenceRules.elsewhere, `${toShown(url)} is elsewhere than the document`)
}

function privateAddress(url: URL): FetchFault {
  return new FetchFault(referenceRules.address, `${toShown(url)} has an address that is not public`)
}

/** Queries and credentials may be secret. */
function toShown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`
}
