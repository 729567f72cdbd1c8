/** How people may sign in to this installation, and for how long. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'

export const accessSettings = z.strictObject({
  requireTotp: z
    .boolean()
    .default(false)
    .meta({ description: 'Who signs in with a password may do nothing before they have set up TOTP.' }),
  passwordSignIn: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether passwords are taken at all; switch off when an identity provider has everybody.' }),
  sessionIdleMinutes: z.int().min(1).max(1440).default(60).meta({ description: 'A session ends when idle so long.' }),
  sessionHours: z.int().min(1).max(720).default(12).meta({ description: 'A session ends after so long in any case.' }),
})

export type AccessSettings = z.output<typeof accessSettings>

const kept = z.strictObject({ version: z.int(), settings: accessSettings })
const NAME = 'access'

export async function readAccess(db: Kysely<Tables>): Promise<z.output<typeof kept>> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', NAME).executeTakeFirst()
  return kept.parse(row === undefined ? { version: 1, settings: {} } : JSON.parse(row.value))
}

export async function readAccessSettings(db: Kysely<Tables>): Promise<AccessSettings> {
  return (await readAccess(db)).settings
}

export async function writeAccess(db: Kysely<Tables>, version: number, settings: AccessSettings): Promise<void> {
  const value = JSON.stringify({ version, settings })
  await db
    .insertInto('meta')
    .values({ name: NAME, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}
