/**
 * The OpenID Connect side (authorization code with PKCE, state and nonce), by openid-client. One configuration for each
 * provider, discovered when it is first needed and again after a while: keys of providers change.
 */
import * as oidc from 'openid-client'
import type { Control } from '../control.ts'
import { openClientSecret, readSpec, type ProviderRow } from './identity-provider.ts'

const FRESH_MS = 600_000
const TIMEOUT_SECONDS = 10

/** What the browser keeps, sealed, between leaving and coming back. */
export interface Leaving {
  readonly providerId: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly returnTo: string
  readonly untilMs: number
}

/** Who somebody is, as a provider says; its signature and all else was checked. */
export interface Claims {
  readonly issuer: string
  readonly subject: string
  readonly email: string | undefined
  readonly isEmailVerified: boolean
  readonly name: string | undefined
  readonly groups: readonly string[]
}

/** ASCII alone: the small letter of the Kelvin sign is a k, and so the address of somebody else. */
const EMAIL = /^[\x21-\x3F\x41-\x7E]{1,255}@[\x21-\x3F\x41-\x7E]{1,64}$/

interface Known {
  readonly version: number
  readonly untilMs: number
  readonly configuration: Promise<oidc.Configuration>
}

const known = new Map<string, Known>()

/** Where to send the browser, and what it must bring back. */
export async function leave(
  control: Control,
  row: ProviderRow,
  redirectUri: string,
  returnTo: string,
  untilMs: number,
) {
  const configuration = await configure(control, row)
  const verifier = oidc.randomPKCECodeVerifier()
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()]
  const url = oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: [...new Set(['openid', ...readSpec(row).scopes])].join(' '),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const leaving: Leaving = { providerId: row.id, state, nonce, verifier, returnTo, untilMs }
  return { url, leaving }
}

/** Trades the code for claims; rejects unless everything fits what the browser left with. */
export async function comeBack(control: Control, row: ProviderRow, url: URL, { verifier, state, nonce }: Leaving) {
  const configuration = await configure(control, row)
  const tokens = await oidc.authorizationCodeGrant(configuration, url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  })
  const claims = tokens.claims()
  if (claims === undefined) throw new Error('the provider gave no ID token')
  const { groupsClaim } = readSpec(row)
  const isComplete = claims['email'] !== undefined && claims[groupsClaim] !== undefined
  const hasMore = !isComplete && configuration.serverMetadata().userinfo_endpoint !== undefined
  // Checked to be of the same subject (OpenID Connect Core §5.3.2).
  const more = hasMore ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub) : {}
  return toClaims({ ...more, ...claims }, groupsClaim)
}

function toClaims(claims: Readonly<Record<string, unknown>>, groupsClaim: string): Claims {
  const { iss, sub, email, email_verified: isVerified, name } = claims
  if (typeof iss !== 'string' || typeof sub !== 'string') throw new TypeError('an ID token names issuer and subject')
  const groups = claims[groupsClaim]
  return {
    issuer: iss,
    subject: sub,
    email: typeof email === 'string' && EMAIL.test(email) ? email.toLowerCase() : undefined,
    // Only the truth value: the text "false" is no proof of anything.
    isEmailVerified: isVerified === true,
    name: typeof name === 'string' && name !== '' ? name.slice(0, 200) : undefined,
    groups: Array.isArray(groups) ? groups.filter((each) => typeof each === 'string') : [],
  }
}

async function configure(control: Control, row: ProviderRow): Promise<oidc.Configuration> {
  const nowMs = control.clock.now()
  const before = known.get(row.id)
  if (before !== undefined && before.version === row.version && before.untilMs > nowMs) return before.configuration
  const configuration = discover(control, row)
  known.set(row.id, { version: row.version, untilMs: nowMs + FRESH_MS, configuration })
  try {
    return await configuration
  } catch (error) {
    known.delete(row.id)
    throw error
  }
}

function discover(control: Control, row: ProviderRow): Promise<oidc.Configuration> {
  const { issuer, clientId } = readSpec(row)
  const url = new URL(issuer)
  const secret = openClientSecret(control, row)
  const proof = secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret)
  const execute = url.protocol === 'http:' ? [oidc.allowInsecureRequests] : []
  return oidc.discovery(url, clientId, {}, proof, { execute, timeout: TIMEOUT_SECONDS })
}
