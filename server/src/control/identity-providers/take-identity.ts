/** Whose account it is that a provider lets in: in the transaction of the sign-in. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { noAccount } from '../sessions/session-problems.ts'
import type { User } from '../users/user-routes.ts'
import type { ProviderSpec } from './identity-provider.ts'
import type { Claims } from './oidc-client.ts'

/**
 * Who signed in before is known by issuer and subject. An address is only believed at the first time, when the provider
 * verified it and the operator believes the provider.
 */
export async function takeAccount(
  db: Kysely<Tables>,
  control: Control,
  spec: ProviderSpec,
  claims: Claims,
): Promise<User> {
  const { issuer, subject, email } = claims
  const linked = await db
    .selectFrom('identities')
    .innerJoin('users', 'users.id', 'identities.user_id')
    .selectAll('users')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
  const user = linked ?? (await findByEmail(db, spec, claims)) ?? (await createAccount(db, control, spec, claims))
  if (user === undefined || user.disabled_at_ms !== null || user.is_service === 1) {
    control.log.warn({ issuer, subject, email }, 'somebody came from an identity provider who has no account')
    return refuse(noAccount())
  }
  if (linked === undefined) {
    const row = { issuer, subject, user_id: user.id, created_at_ms: control.clock.now() }
    await db.insertInto('identities').values(row).execute()
  }
  return user
}

async function findByEmail(db: Kysely<Tables>, spec: ProviderSpec, claims: Claims): Promise<User | undefined> {
  if (!spec.linkByEmail || !isBelieved(spec, claims) || claims.email === undefined) return undefined
  return db.selectFrom('users').selectAll().where('email', '=', claims.email).executeTakeFirst()
}

async function createAccount(
  db: Kysely<Tables>,
  control: Control,
  spec: ProviderSpec,
  claims: Claims,
): Promise<User | undefined> {
  const { email, name } = claims
  if (!spec.createAccounts || !isBelieved(spec, claims) || email === undefined) return undefined
  const taken = await db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
  if (taken !== undefined) return undefined
  const nowMs = control.clock.now()
  const row: User = {
    id: control.newId('user'),
    email,
    name: name ?? email,
    password_hash: '',
    totp: '',
    totp_step: 0,
    is_service: 0,
    disabled_at_ms: null,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
  await db.insertInto('users').values(row).execute()
  return row
}

function isBelieved({ emailDomains }: ProviderSpec, { email, isEmailVerified }: Claims): boolean {
  const domain = email?.slice(email.lastIndexOf('@') + 1)
  const isOurs = emailDomains.length === 0 || emailDomains.some((each) => each.toLowerCase() === domain)
  return isEmailVerified && isOurs
}
