/** A version of an API as the admin API takes it: the shape of an API in a file, with its OpenAPI document apart. */
import { z } from 'zod'
import { api, apiFacts } from '../../config/schema/api.ts'
import { name } from '../../config/schema/quantities.ts'

/** What belongs to the API as a whole, or stands apart. */
const apart = new Set(['name', 'version', 'spec', 'lifecycle', ...Object.keys(apiFacts)])
const settings = Object.fromEntries(Object.entries(api.shape).filter(([key]) => !apart.has(key)))

export const version = z.strictObject({
  name: name({ title: 'Name', description: 'The version, such as 1.0.0.' }),
  ...settings,
})
