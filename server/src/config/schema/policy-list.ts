/** A named list of policies that several APIs share. */
import { z } from 'zod'
import { policyList as entries } from './policy-entry.ts'
import { name } from './quantities.ts'

const text = (title: string, description: string) => z.string().max(2000).optional().meta({ title, description })

export const policyList = z
  .strictObject({
    name: name({ title: 'Name', description: 'Name of the list.' }),
    title: text('Title', 'What people call it.'),
    description: text('Description', 'What it is for.'),
    default: z.boolean().default(false).meta({
      title: 'Default',
      description: 'Whether it holds for every API. One list of a workspace can be the default.',
    }),
    apis: z
      .array(name({ title: 'API', description: 'Name of an API.' }))
      .max(1000)
      .default([])
      .meta({ title: 'APIs', description: 'The APIs that it holds for. A default list names none.' }),
    policies: entries('Run before those of the API.'),
  })
  .meta({ title: 'Policy list', description: 'Policies that several APIs share.' })

export type PolicyListSettings = z.output<typeof policyList>
