/** One environment by its name. */
import type { Kysely, Selectable } from 'kysely'
import type { EnvironmentTable, Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { notFound } from '../problems.ts'

export type Environment = Selectable<EnvironmentTable>

/** The environment; refuses with 404. */
export async function readEnvironment(db: Kysely<Tables>, name: string): Promise<Environment> {
  const row = await db.selectFrom('environments').selectAll().where('name', '=', name).executeTakeFirst()
  return row ?? refuse(notFound({ detail: `There is no environment ${JSON.stringify(name)}.` }))
}
