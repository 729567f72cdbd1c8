/** Webhooks of a workspace: where its events are sent to. What was sent is in `delivery-routes.ts`. */
import { z } from 'zod'
import { isPublicAddress } from '../../config/openapi/public-address.ts'
import { labels, name } from '../../config/schema/quantities.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import type { Change, CollectionDefinition } from '../resources/define-collection.ts'
import { referredSecrets } from '../resources/secret-references.ts'
import { SECRET_PATTERN } from './sign-webhook.ts'
import { EVENT_PATTERN } from './webhook-events.ts'

const secret = (title: string, description: string) =>
  z
    .string()
    .regex(
      new RegExp(`${SECRET_PATTERN.source}|^\\$\\{secret:[A-Za-z0-9][A-Za-z0-9._-]*\\}$`),
      'whsec_ and 24 to 64 random bytes in base64',
    )
    .meta({ title, description, secret: true })

export const webhook = z.strictObject({
  name: name({ title: 'Name', description: 'Names it in lists.' }),
  labels: labels(),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .meta({
      title: 'URL',
      description: 'Events are sent here with POST; anything in 200–299 within 15 seconds is received.',
    }),
  events: z
    .array(z.string().max(100).regex(EVENT_PATTERN, 'such as deployment.created, deployment.* or *'))
    .min(1)
    .max(50)
    .default(['*'])
    .meta({ title: 'Events', description: 'Which: `deployment.created`, `deployment.*` or `*`.' }),
  secret: secret('Secret', 'Signs what is sent (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64.'),
  previousSecret: secret('Previous secret', 'Signs as well, while receivers change over to a new one.').optional(),
  enabled: z.boolean().default(true).meta({ title: 'Enabled', description: 'False keeps events until it is true.' }),
})

export const webhooks: CollectionDefinition = {
  kind: 'webhook',
  plural: 'webhooks',
  title: 'a webhook',
  permissions: 'webhooks',
  schema: webhook,
  perEnvironment: false,
  check({ allowPrivateAddresses }, _db, _workspace, document) {
    const { url } = webhook.pick({ url: true }).loose().parse(document)
    if (referredSecrets(url).size > 0) {
      const detail = 'a reference to a secret, which would be sent to whoever listens there'
      refuse(invalid({ detail, errors: [{ pointer: '/url', detail }] }))
    }
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
    // Names are looked at when they are resolved, at each delivery: what they stand for may change.
    if (allowPrivateAddresses !== true && /^[\d.]+$|:|^localhost$/.test(host) && !isPublicAddress(host)) {
      const detail = 'an address that is not public; the operator may allow such ones with HEADGATE_WEBHOOK_PRIVATE'
      refuse(invalid({ detail, errors: [{ pointer: '/url', detail }] }))
    }
    return Promise.resolve()
  },
  changed: followFromHere,
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
