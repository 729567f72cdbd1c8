/** The whole document: what one `headgate.yaml`, or a directory of them merged, may say. */
import { z } from 'zod'
import { api } from './api.ts'
import { certificate } from './certificate.ts'
import { consumer, product } from './consumer.ts'
import { gatewaySettings } from './gateway.ts'
import { policyList as policyEntries } from './policy-entry.ts'
import { policyList } from './policy-list.ts'
import { upstream } from './upstream.ts'
import { webhook } from './webhook.ts'

export const configDocument = z
  .strictObject({
    headgate: z.literal(1).meta({ title: 'Version', description: 'Version of this format: 1.' }),
    gateway: gatewaySettings,
    upstreams: z.array(upstream).default([]).meta({ title: 'Upstreams', description: 'Named backends.' }),
    apis: z.array(api).default([]).meta({ title: 'APIs', description: 'What is served.' }),
    policies: policyEntries('Run for every request, before all others.'),
    policyLists: z
      .array(policyList)
      .default([])
      .meta({ title: 'Policy lists', description: 'Named lists that several APIs share.' }),
    consumers: z.array(consumer).default([]).meta({ title: 'Consumers', description: 'Who calls.' }),
    products: z.array(product).default([]).meta({ title: 'Products', description: 'Bundles of APIs with plans.' }),
    certificates: z.array(certificate).default([]).meta({
      title: 'Certificates',
      description: 'Shown to clients by SNI, behind those of `gateway.tls.certificates`.',
    }),
    webhooks: z.array(webhook).default([]).meta({
      title: 'Webhooks',
      description: 'Where a control plane sends events. A gateway that runs from the file alone refuses them.',
    }),
  })
  .meta({ title: 'Headgate configuration', description: 'Configuration of a Headgate gateway.' })

export type ConfigDocument = z.output<typeof configDocument>
