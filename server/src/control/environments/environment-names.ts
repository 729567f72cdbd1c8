/** The environments of the installation. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { notFound } from '../problems.ts'

export async function listEnvironmentNames(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db.selectFrom('environments').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}

/** The name itself, or that of the default environment; refuses with 404 when there is none of that name. */
export async function toEnvironmentName(db: Kysely<Tables>, name: string | undefined): Promise<string> {
  let rows = db.selectFrom('environments').select('name')
  rows = name === undefined ? rows.where('is_default', '=', 1) : rows.where('name', '=', name)
  const found = await rows.executeTakeFirst()
  return found?.name ?? refuse(notFound({ detail: `There is no environment ${JSON.stringify(name ?? '')}.` }))
}
