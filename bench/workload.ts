/**
 * What clients ask for: the same ten request headers for every subject, about 600 bytes as browsers and SDKs send them, on
 * paths below `/bookshop` that every gateway strips before it forwards.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export const host = 'api.bookshop.example'
export const basePath = '/bookshop'

export interface WorkRequest {
  method: string
  path: string
  headers: [name: string, value: string][]
}

/** Requests that a load generator sends in turn, and what each of them must be answered. */
export interface Traffic {
  /** Complete HTTP/1.1 requests, as bytes. */
  raw: string[]
  /** The first request in parts, for generators that write their own framing (HTTP/2). */
  first: WorkRequest
  expectedStatus: number
}

/** A key as a provider would issue it: a prefix and 32 random characters, here derived from its number. */
export function apiKey(number: number): string {
  return `bks_live_${createHash('sha256').update(`key ${number}`).digest('hex').slice(0, 32)}`
}

export function consumerName(number: number): string {
  return `consumer-${String(number).padStart(5, '0')}`
}

/** The route's path below the base path, with one parameter. */
export function routePath(number: number): string {
  return `/shelf-${String(number).padStart(4, '0')}/books/{bookId}`
}

export function requestPath(route: number, book: number): string {
  return basePath + routePath(route).replace('{bookId}', String(100_000 + book)) + '?fields=title,author,price'
}

/** A GET with ten headers; `credential` is the header that says who calls. */
export function getRequest(path: string, credential: [name: string, value: string]): WorkRequest {
  return {
    method: 'GET',
    path,
    headers: [
      ['Host', host],
      [
        'User-Agent',
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      ],
      ['Accept', 'application/json, text/plain, */*'],
      ['Accept-Encoding', 'gzip, deflate, br, zstd'],
      ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
      credential,
      ['Content-Type', 'application/json'],
      ['Cookie', 'session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=essential; locale=en-GB; bucket=b'],
      ['Referer', 'https://www.bookshop.example/catalogue/fiction?page=3'],
      ['X-Request-Context', 'tenant=north;release=2026.11.2;channel=web'],
    ],
  }
}

export function formatHttp1(request: WorkRequest): string {
  const lines = request.headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

export function traffic(requests: WorkRequest[], expectedStatus: number): Traffic {
  const [first] = requests
  if (first === undefined) throw new Error('Traffic needs at least one request.')
  return { raw: requests.map(formatHttp1), first, expectedStatus }
}

/** Requests spread at random, but the same in every run, over all routes and keys. */
export function spreadTraffic(routes: number, keys: number, count: number): Traffic {
  const random = createRandom(7)
  const pick = (below: number): number => Math.floor(random() * below)
  const requests = Array.from({ length: count }, (_, index) =>
    getRequest(requestPath(pick(routes), index % 900), ['X-Api-Key', apiKey(pick(keys))]),
  )
  return traffic(requests, 200)
}

/** mulberry32: small, fast, good enough to spread requests; seeded so that runs repeat. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const tokenIssuer = 'https://login.bookshop.example'
export const tokenAudience = 'books'

export interface TokenIssuer {
  /** A key set document with the one public key. */
  keySet: { keys: object[] }
  token: (subject: string) => string
}

/** RS256 with 2048 bits: the algorithm that most identity providers sign with. */
export function createTokenIssuer(): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = 'bench-1'
  return {
    keySet: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] },
    token: (subject) => signToken(privateKey, kid, subject),
  }
}

function signToken(privateKey: KeyObject, kid: string, subject: string): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const nowSeconds = Math.floor(Date.now() / 1000)
  const claims = {
    iss: tokenIssuer,
    aud: tokenAudience,
    sub: subject,
    iat: nowSeconds,
    nbf: nowSeconds - 10,
    exp: nowSeconds + 6 * 3600,
    scope: 'books:read',
  }
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid })}.${encode(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}
