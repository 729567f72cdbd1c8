/** An OpenID provider whose people may sign in: what is configured, and how it is kept. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { IdentityProviderTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { notFound } from '../problems.ts'

export type ProviderRow = Selectable<IdentityProviderTable>

/** Without TLS anybody on the way could name himself; on the own machine there is no way. */
const issuer = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((url) => url.startsWith('https:') || /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])[:/]/.test(`${url}/`), {
    message: 'an https address',
  })

export const providerSpec = z.strictObject({
  title: z.string().max(100).default('').meta({ description: 'What the page to sign in calls it.' }),
  issuer: issuer.meta({ description: 'Its issuer identifier, where `/.well-known/openid-configuration` is found.' }),
  clientId: z.string().min(1).max(200),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/))
    .max(20)
    .default(['profile', 'email']),
  createAccounts: z.boolean().default(false).meta({
    description: 'Whoever the provider lets in gets an account. Else an account must be there, and `linkByEmail` on.',
  }),
  linkByEmail: z.boolean().default(false).meta({
    description:
      'At the first sign-in an account with the same address is taken, when the provider says that it verified the address.',
  }),
  emailDomains: z.array(z.string().min(1).max(200)).max(100).default([]).meta({
    description: 'Only addresses in these domains get or take an account; empty for all.',
  }),
  groupsClaim: z.string().min(1).max(100).default('groups'),
  groups: z
    .array(
      z.strictObject({
        group: z.string().min(1).max(300),
        role: z.string().max(100).optional(),
        team: z.string().max(100).optional().meta({ description: 'A team of the workspace, instead of a role.' }),
        workspace: z.string().max(100).optional().meta({ description: 'Where the role counts; everywhere without.' }),
      }),
    )
    .max(500)
    .default([])
    .meta({
      description:
        'What the groups of a person give: set anew at each sign-in, and gone as soon as it is taken out of here.',
    }),
})

export type ProviderSpec = z.output<typeof providerSpec>

export function readSpec({ spec }: Pick<ProviderRow, 'spec'>): ProviderSpec {
  return providerSpec.parse(JSON.parse(spec))
}

/** What sessions, roles and places in teams that come from a provider say. */
export function toSource({ name }: Pick<ProviderRow, 'name'>): string {
  return `oidc:${name}`
}

export function aboutClientSecret(id: string): string {
  return `identity provider ${id}`
}

/** Undefined for a public client. */
export function openClientSecret({ keys }: Control, { id, secret }: ProviderRow): string | undefined {
  return secret === '' ? undefined : keys.open(secret, aboutClientSecret(id))
}

/** The provider; refuses with 404 when there is none. */
export async function getProvider(db: Kysely<Tables>, name: string): Promise<ProviderRow> {
  const row = await db.selectFrom('identity_providers').selectAll().where('name', '=', name).executeTakeFirst()
  return row ?? refuse(notFound({ detail: `There is no identity provider ${JSON.stringify(name)}.` }))
}
