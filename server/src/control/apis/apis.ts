/** APIs: who owns them and what they are for. How one is served is a matter of its versions. */
import { z } from 'zod'
import { name } from '../../config/schema/quantities.ts'
import type { CollectionDefinition } from '../resources/define-collection.ts'
import { refuse } from '../control-error.ts'
import { inUse } from '../problems.ts'

const text = (title: string, description: string) => z.string().max(2000).default('').meta({ title, description })

export const api = z.strictObject({
  name: name({ title: 'Name', description: 'Name of the API.' }),
  title: text('Title', 'What people call it.'),
  description: text('Description', 'What it is for, in a sentence or two.'),
  owner: text('Owner', 'Address of the person who answers for it.'),
  team: text('Team', 'Name of the team that works on it.'),
  labels: z
    .record(z.string().max(100), z.string().max(500))
    .default({})
    .meta({ title: 'Labels', description: 'Anything worth knowing about it.' }),
  visibility: z
    .enum(['private', 'internal', 'public'])
    .default('private')
    .meta({ title: 'Visibility', description: 'Who may find it in the catalogue.' }),
})

export const apis: CollectionDefinition = {
  kind: 'api',
  plural: 'apis',
  title: 'an API',
  permissions: 'apis',
  schema: api,
  perEnvironment: false,
  async changed({ write, before, after }) {
    if (before === undefined || after !== undefined) return
    const version = await write.db
      .selectFrom('resources')
      .select('name')
      .where('parent_id', '=', before.id)
      .where('kind', '=', 'version')
      .executeTakeFirst()
    if (version !== undefined)
      refuse(inUse({ detail: `It has the version ${version.name}. Remove its versions first.` }))
  },
}
