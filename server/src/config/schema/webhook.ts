/** A webhook: where a control plane sends the events of a workspace. No gateway runs it. */
import { z } from 'zod'
import { SECRET_REFERENCE } from '../../kernel/secret-reference.ts'
import { labels, name } from './quantities.ts'

/** Secrets as Standard Webhooks writes them: 24 to 64 bytes in base64. */
export const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/

/** `api.*` is everything about APIs, `*` everything there is. */
const EVENT = /^(?:\*|[a-z-]+\.(?:\*|[a-z-]+))$/

const secret = (title: string, description: string) =>
  z
    .string()
    .regex(new RegExp(`${WEBHOOK_SECRET.source}|^${SECRET_REFERENCE}$`), 'whsec_ and 24 to 64 random bytes in base64')
    .meta({ title, description, secret: true })

export const webhook = z
  .strictObject({
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
      .array(z.string().max(100).regex(EVENT, 'such as deployment.created, deployment.* or *'))
      .min(1)
      .max(50)
      .default(['*'])
      .meta({ title: 'Events', description: 'Which: `deployment.created`, `deployment.*` or `*`.' }),
    secret: secret('Secret', 'Signs what is sent (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64.'),
    previousSecret: secret('Previous secret', 'Signs as well, while receivers change over to a new one.').optional(),
    enabled: z.boolean().default(true).meta({ title: 'Enabled', description: 'False keeps events until it is true.' }),
  })
  .meta({ title: 'Webhook', description: 'Where a control plane sends the events of a workspace.' })
