/** Named policy lists of a workspace: for the APIs that they name, or, as its default, for all. */
import { policyList } from '../../config/schema/policy-list.ts'
import { refuse } from '../control-error.ts'
import { redeployApis } from '../deployments/redeploy.ts'
import { taken } from '../problems.ts'
import type { Change, CollectionDefinition } from '../resources/define-collection.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { checkListedApis, selectLists, toSettings } from './policy-list-store.ts'

export const policyLists: CollectionDefinition = {
  kind: 'policy-list',
  plural: 'policies',
  title: 'a policy list',
  permissions: 'policies',
  schema: policyList,
  perEnvironment: false,
  async check(control, db, workspace, document) {
    checkDocument(control, { policyLists: [document] })
    await checkListedApis(db, workspace, document)
  },
  async changed(change) {
    await checkOneDefault(change)
    const lists = [change.before, change.after].flatMap((row) => (row === undefined ? [] : [toSettings(row)]))
    const isForAll = lists.some((list) => list.default)
    await redeployApis(change, change.write, isForAll ? undefined : new Set(lists.flatMap(({ apis }) => apis)))
  },
}

async function checkOneDefault({ write, workspace, after }: Change): Promise<void> {
  if (after === undefined || !toSettings(after).default) return
  const rows = await selectLists(write.db, workspace.id).where('id', '<>', after.id).execute()
  const other = rows.find((row) => toSettings(row).default)
  if (other !== undefined) refuse(taken({ detail: `${other.name} is the default list already.` }))
}
