/** The schema of a JSON Merge Patch (RFC 7396) over a document. */
import { z } from 'zod'

/** Every key of the document is optional, and `null` where it goes; what is left when it is merged is checked whole. */
export function toPatchSchema(schema: z.ZodType | undefined): z.ZodObject {
  if (!(schema instanceof z.ZodObject)) throw new TypeError('a document that can be patched is an object')
  const keys = Object.entries(schema.shape).map(([key, value]) => {
    const { title, description } = value instanceof z.ZodType ? (value.meta() ?? {}) : {}
    return [key, z.unknown().optional().meta({ title, description })] as const
  })
  return z.strictObject(Object.fromEntries(keys))
}
