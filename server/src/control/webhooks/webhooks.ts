/** Webhooks of a workspace: where its events are sent to. What was sent is in `delivery-routes.ts`. */
import { isPublicAddress } from '../../config/openapi/public-address.ts'
import { webhook } from '../../config/schema/webhook.ts'
import type { JsonObject } from '../../kernel/json.ts'
import type { Control } from '../control.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import type { Change, CollectionDefinition } from '../resources/define-collection.ts'
import { referredSecrets } from '../resources/secret-references.ts'

export const webhooks: CollectionDefinition = {
  kind: 'webhook',
  plural: 'webhooks',
  title: 'a webhook',
  permissions: 'webhooks',
  schema: webhook,
  perEnvironment: false,
  check(control, _db, _workspace, document) {
    checkTargets(control, [document], () => '/url')
    return Promise.resolve()
  },
  changed: followFromHere,
}

/** Refuses webhooks that would send where none may; `toPointer` says where the URL of each stands. */
export function checkTargets(
  { allowPrivateAddresses = false }: Pick<Control, 'allowPrivateAddresses'>,
  documents: readonly JsonObject[],
  toPointer: (index: number) => string,
): void {
  const errors = documents.flatMap((document, index) => {
    const { url } = webhook.pick({ url: true }).loose().parse(document)
    const detail = whyUnfit(url, allowPrivateAddresses)
    return detail === undefined ? [] : [{ pointer: toPointer(index), detail }]
  })
  const [first] = errors
  if (first !== undefined) refuse(invalid({ detail: first.detail, errors }))
}

function whyUnfit(url: string, allowPrivateAddresses: boolean): string | undefined {
  if (referredSecrets(url).size > 0) return 'a reference to a secret, which would be sent to whoever listens there'
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  // Names are looked at when they are resolved, at each delivery: what they stand for may change.
  if (allowPrivateAddresses || !/^[\d.]+$|:|^localhost$/.test(host) || isPublicAddress(host)) return undefined
  return 'an address that is not public; the operator may allow such ones with HEADGATE_WEBHOOK_PRIVATE'
}

/** A new one hears of what happens from now on, its own creation first; a changed one is tried again. */
async function followFromHere({ write, before, after }: Change): Promise<void> {
  if (after === undefined) return
  if (before !== undefined) {
    await write.db
      .updateTable('webhook_cursors')
      .set({ failing_since_ms: null, disabled_at_ms: null })
      .where('webhook_id', '=', after.id)
      .execute()
    return
  }
  const last = await write.db.selectFrom('audit').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  await write.db
    .insertInto('webhook_cursors')
    .values({ webhook_id: after.id, seq: last?.seq ?? 0, failing_since_ms: null, disabled_at_ms: null })
    .execute()
}
