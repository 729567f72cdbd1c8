/** APIs: who owns them and what they are for. How one is served is a matter of its versions. */
import { z } from 'zod'
import { apiFacts } from '../../config/schema/api.ts'
import { name } from '../../config/schema/quantities.ts'
import { readPolicyLists } from '../policies/policy-list-store.ts'
import { nameOf, type CollectionDefinition } from '../resources/define-collection.ts'
import { refuse } from '../control-error.ts'
import { inUse } from '../problems.ts'

const api = z.strictObject({
  name: name({ title: 'Name', description: 'Name of the API.' }),
  ...apiFacts,
})

export const apis: CollectionDefinition = {
  kind: 'api',
  plural: 'apis',
  title: 'an API',
  permissions: 'apis',
  schema: api,
  perEnvironment: false,
  async changed({ write, workspace, before, after }) {
    if (before === undefined || after !== undefined) return
    const version = await write.db
      .selectFrom('resources')
      .select('name')
      .where('parent_id', '=', before.id)
      .where('kind', '=', 'version')
      .executeTakeFirst()
    if (version !== undefined)
      refuse(inUse({ detail: `It has the version ${version.name}. Remove its versions first.` }))
    const list = (await readPolicyLists(write.db, workspace, before.name)).find((each) => each['default'] !== true)
    if (list !== undefined) refuse(inUse({ detail: `The policy list ${nameOf(list)} names it.` }))
  },
}
