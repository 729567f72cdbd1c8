/** A workspace by its name. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef } from '../define-route.ts'

export async function findWorkspace(db: Kysely<Tables>, name: string): Promise<WorkspaceRef | undefined> {
  return db.selectFrom('workspaces').select(['id', 'name']).where('name', '=', name).executeTakeFirst()
}
