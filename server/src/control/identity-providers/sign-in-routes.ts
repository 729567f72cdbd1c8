/** Signing in with an OpenID provider: the browser leaves, and comes back with a code. */
import { z } from 'zod'
import { isJsonObject } from '../../kernel/json.ts'
import type { Control } from '../control.ts'
import { ControlError, refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { invalid } from '../problems.ts'
import { cookieName, readCookie, toCookie } from '../sessions/cookies.ts'
import { noAccount, noPublicUrl, providerFailed } from '../sessions/session-problems.ts'
import { startSession, type Visit } from '../sessions/session-store.ts'
import { getProvider, readSpec, toSource, type ProviderRow } from './identity-provider.ts'
import { comeBack, leave, type Claims, type Leaving } from './oidc-client.ts'
import { takeGroups } from './take-groups.ts'
import { takeAccount } from './take-identity.ts'

const params = z.strictObject({ provider: z.string().max(100) })
const MINUTES = 10
const ABOUT = 'oidc'

const listSignIns = defineRoute({
  id: 'listSignIns',
  method: 'GET',
  path: '/sign-in',
  tag: 'sessions',
  summary: 'Lists the providers that the page to sign in offers.',
  permission: { door: 'public' },
  effect: 'read',
  output: z.strictObject({ items: z.array(z.strictObject({ name: z.string(), title: z.string() })) }),
  async handle({ db }) {
    const rows = await db.selectFrom('identity_providers').selectAll().orderBy('name').execute()
    return { body: { items: rows.map((row) => ({ name: row.name, title: readSpec(row).title || row.name })) } }
  },
})

const beginSignIn = defineRoute({
  id: 'beginSignIn',
  method: 'GET',
  path: '/sign-in/{provider}',
  tag: 'sessions',
  summary: 'Sends the browser to an OpenID provider.',
  permission: { door: 'public' },
  effect: 'read',
  params,
  query: z.strictObject({
    returnTo: z.string().max(1000).default('/').meta({ description: 'A path of this control plane.' }),
  }),
  problems: [noPublicUrl, providerFailed],
  async handle(call) {
    const { control, query, db } = call
    const row = await getProvider(db, call.params.provider)
    const untilMs = control.clock.now() + MINUTES * 60_000
    const redirectUri = toRedirectUri(control, row)
    const returnTo = toOwnPath(control, query.returnTo)
    const { url, leaving } = await leave(control, row, redirectUri, returnTo, untilMs).catch((cause: unknown) =>
      refuse(providerFailed({ cause })),
    )
    const value = control.keys.seal(JSON.stringify(leaving), ABOUT)
    // Lax: it is brought along when the provider sends the browser back.
    const cookie = toCookie('oidc', value, { ...control, maxAgeSeconds: MINUTES * 60, sameSite: 'Lax' })
    return { status: 303, headers: { location: url.href }, cookies: [cookie] }
  },
})

const endSignIn = defineRoute({
  id: 'endSignIn',
  method: 'GET',
  path: '/sign-in/{provider}/callback',
  tag: 'sessions',
  summary: 'Takes the answer of an OpenID provider, and begins a session.',
  permission: { door: 'public' },
  effect: 'action',
  params,
  query: z.looseObject({}),
  problems: [noPublicUrl, providerFailed, noAccount],
  async handle(call) {
    const { control, visit, db } = call
    const row = await getProvider(db, call.params.provider)
    const leaving = readLeaving(control, row, visit)
    const url = new URL(toRedirectUri(control, row))
    // A parameter that stands twice has no one meaning (RFC 6749 §3.1); the server has marked it.
    if (Object.keys(call.query).some((key) => key.endsWith(' (twice)'))) refuse(providerFailed())
    for (const [key, value] of Object.entries(call.query)) url.searchParams.append(key, String(value))
    const claims = await comeBack(control, row, url, leaving).catch((cause: unknown): Claims => {
      control.log.warn({ err: cause, provider: row.name }, 'the answer of an identity provider was refused')
      return refuse(providerFailed({ cause }))
    })
    const method = toSource(row)
    const spec = readSpec(row)
    return call.write(async (write) => {
      // What was read before the way to the provider and back may be what an owner has just taken away.
      const { id, version } = await getProvider(write.db, row.name)
      const isSame = id === row.id && version === row.version
      if (!isSame) refuse(providerFailed({ detail: 'The provider was changed meanwhile. Begin again.' }))
      const user = await takeAccount(write.db, control, spec, claims)
      await takeGroups(write.db, control, spec, method, user.id, claims.groups)
      const { session, cookie } = await startSession(write.db, control, user.id, method, visit)
      write.note({ kind: 'session', id: session.id, name: user.email, after: { method, subject: claims.subject } })
      const over = toCookie('oidc', '', { ...control, maxAgeSeconds: 0, sameSite: 'Lax' })
      return { status: 303, headers: { location: leaving.returnTo }, cookies: [cookie, over] }
    })
  },
})

export const signInRoutes = [listSignIns, beginSignIn, endSignIn]

/** One for each provider, so that the answer of one cannot be taken for that of another (RFC 9700 §4.4). */
function toRedirectUri({ publicUrl }: Control, { name }: ProviderRow): string {
  // What the request calls us is what its sender says.
  if (publicUrl === undefined) return refuse(noPublicUrl())
  return new URL(`/api/v1/sign-in/${encodeURIComponent(name)}/callback`, publicUrl).href
}

/** What this browser left with, for this provider, not too long ago. */
function readLeaving({ keys, clock, publicUrl }: Control, { id }: ProviderRow, { cookie }: Visit): Leaving {
  try {
    const value: unknown = JSON.parse(keys.open(readCookie(cookie, cookieName('oidc', publicUrl)) ?? '', ABOUT))
    // Sealed by us, so it is what `beginSignIn` wrote.
    const leaving = isJsonObject(value) ? (value as unknown as Leaving) : undefined
    if (leaving !== undefined && leaving.providerId === id && leaving.untilMs > clock.now()) return leaving
  } catch (cause) {
    if (cause instanceof ControlError) throw cause
  }
  return refuse(providerFailed({ detail: 'This browser did not begin to sign in here, or too long ago. Begin again.' }))
}

/** A path below our own address, whatever tricks browsers know for leaving it. */
function toOwnPath({ publicUrl = 'http://localhost' }: Control, path: string): string {
  const isPath = /^\/(?![/\\])[\x21-\x5B\x5D-\x7E]*$/.test(path)
  if (isPath && new URL(path, publicUrl).origin === new URL(publicUrl).origin) return path
  return refuse(
    invalid({ errors: [{ pointer: 'query returnTo', detail: 'a path of this control plane, such as /apis' }] }),
  )
}
