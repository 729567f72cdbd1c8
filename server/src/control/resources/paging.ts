/** What every list of the admin API takes and gives. */
import { z } from 'zod'
import { SORTS } from './resource-store.ts'

export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Entries of a page.' }),
  cursor: z.string().max(500).optional().meta({ description: '`next` of the page before.' }),
  sort: z.enum(SORTS).default('name').meta({ description: 'Order; `-` turns it round.' }),
  search: z.string().max(200).optional().meta({ description: 'Words that must all be found in the name and labels.' }),
  label: z.string().max(2000).optional().meta({ description: 'Only what has these labels: `team:payments,tier`.' }),
  owner: z.string().max(2000).optional().meta({ description: 'Only what this person answers for.' }),
  team: z.string().max(2000).optional().meta({ description: 'Only what this team works on.' }),
  visibility: z.string().max(20).optional().meta({ description: 'Only what is private, internal or public.' }),
  environment: z.string().max(100).optional().meta({ description: 'Only what is for this environment.' }),
})

/** A page of things. */
export function pageOf<Each extends z.ZodType>(each: Each) {
  return z.strictObject({
    items: z.array(each),
    next: z.string().optional().meta({ description: 'Cursor of the next page; absent on the last one.' }),
  })
}
