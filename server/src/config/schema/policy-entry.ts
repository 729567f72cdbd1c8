/** An entry of a policy list: what (kind, config) × when. The config is checked by the schema of its kind. */
import { z } from 'zod'
import { expression } from './quantities.ts'

export const policyEntry = z
  .strictObject({
    kind: z.string().meta({ title: 'Kind', description: 'Which policy this is.' }),
    id: z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'letters, digits, dots, dashes, underscores and slashes')
      .optional()
      .meta({
        title: 'Id',
        description:
          'Names the entry in logs and counters. Given, a limit keeps its counters when the entry moves; by default the id says where the entry stands.',
      }),
    enabled: z.boolean().default(true).meta({ title: 'Enabled', description: 'False leaves the entry out.' }),
    when: expression({
      title: 'When',
      description: 'The policy applies to a request for which this CEL expression is true. Without it: to every one.',
    }).optional(),
    config: z.unknown().optional().meta({ title: 'Configuration', description: 'Settings of the policy.' }),
  })
  .meta({ title: 'Policy', description: 'What is done (kind and config) and when.' })

/** Policies in the order in which they run. */
export function policyList(description: string) {
  return z.array(policyEntry).default([]).meta({ title: 'Policies', description })
}

export type PolicyEntry = z.output<typeof policyEntry>
