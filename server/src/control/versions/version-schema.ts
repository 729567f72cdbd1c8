/** A version of an API as the admin API takes it: the shape of an API in a file, with its OpenAPI document apart. */
import { z } from 'zod'
import { api } from '../../config/schema/api.ts'
import { name } from '../../config/schema/quantities.ts'

const { name: _name, version: _version, spec: _spec, ...settings } = api.shape

/** Where a version stands in its life. What each step asks for is in `lifecycle.ts`. */
export const LIFECYCLE = ['design', 'mock', 'published', 'deprecated', 'retired'] as const

export const version = z.strictObject({
  name: name({ title: 'Name', description: 'The version, such as 1.0.0.' }),
  ...settings,
})

export type VersionSettings = z.output<typeof version>
