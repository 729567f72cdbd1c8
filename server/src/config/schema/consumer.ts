/** Who calls: consumers with their keys, and the products with plans that they subscribe to. */
import { z } from 'zod'
import { policyList } from './policy-entry.ts'
import { labels, name } from './quantities.ts'

const words = (title: string, description: string) =>
  z.array(z.string().min(1).max(200)).default([]).meta({ title, description })

const key = z
  .strictObject({
    value: z.string().min(1).max(512).optional().meta({
      title: 'Value',
      description: 'The key, of any shape, usually `${NAME}` or `file:…`; only its hash is kept.',
      secret: true,
    }),
    hash: z
      .string()
      .regex(/^[0-9A-Fa-f]{64}$/, 'the SHA-256 of the key as 64 hex digits')
      .optional()
      .meta({
        title: 'Hash',
        description: 'SHA-256 of an existing key in hex, instead of the key.',
      }),
    name: name({ title: 'Name', description: 'Names the key in logs. Default: key-1, key-2 …' }).optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional().meta({
      title: 'Expires at',
      description: 'Time after which the key no longer counts, such as 2027-01-31T00:00:00Z.',
    }),
  })
  .meta({ title: 'Key', description: 'Either `value` or `hash`.' })

const subscription = z
  .strictObject({
    product: z.string().meta({ title: 'Product', description: 'Name of the product.' }),
    plan: z.string().meta({ title: 'Plan', description: 'Name of one of its plans.' }),
  })
  .meta({ title: 'Subscription', description: 'A product and one of its plans.' })

export const consumer = z
  .strictObject({
    name: name({ title: 'Name', description: 'Name of the application that calls.' }),
    keys: z.array(key).default([]).meta({ title: 'Keys', description: 'Keys that it presents.' }),
    roles: words('Roles', 'Roles of the consumer, for the access policy.'),
    scopes: words('Scopes', 'Scopes of the consumer, for the access policy.'),
    labels: z.record(z.string().max(100), z.string().max(500)).default({}).meta({
      title: 'Labels',
      description: 'Anything worth knowing about it.',
    }),
    subscriptions: z.array(subscription).default([]).meta({ title: 'Subscriptions', description: 'What it may use.' }),
    policies: policyList('Run for its requests, after all others.'),
  })
  .meta({ title: 'Consumer', description: 'An application that calls.' })

const plan = z
  .strictObject({
    name: name({ title: 'Name', description: 'Name of the plan.' }),
    approval: z.boolean().default(false).meta({
      title: 'Approval',
      description:
        'Whether a subscription made through the admin API waits until somebody approves it. So does one in a file that somebody applies who may not approve; a gateway on the file counts it at once.',
    }),
    policies: policyList('Run for the requests of its subscribers, before those of the consumer.'),
  })
  .meta({ title: 'Plan', description: 'Limits and quotas of a product.' })

export const product = z
  .strictObject({
    name: name({ title: 'Name', description: 'Name of the product.' }),
    labels: labels(),
    apis: z.array(z.string()).min(1).meta({ title: 'APIs', description: 'Names of the APIs that it bundles.' }),
    access: z.enum(['subscription', 'open']).default('subscription').meta({
      title: 'Access',
      description:
        'Who may call its APIs: consumers with an active subscription alone, or everybody whom their policies let in. An API is for subscribers as soon as one of its products says so.',
    }),
    plans: z.array(plan).min(1).meta({ title: 'Plans', description: 'What consumers can subscribe to.' }),
  })
  .meta({ title: 'Product', description: 'A bundle of APIs with plans.' })

export type ConsumerSettings = z.output<typeof consumer>
export type ProductSettings = z.output<typeof product>
