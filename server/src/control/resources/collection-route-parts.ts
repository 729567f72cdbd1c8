/** What the operations of a noun share: their parameters, and where its things stand. */
import { z } from 'zod'
import type { CollectionDefinition } from './define-collection.ts'
import type { Shelf } from './resource-store.ts'

export const params = z.strictObject({ name: z.string().max(200) })

/** `{environment}` for nouns whose things may be for one environment alone, and nothing for the others. */
export function environmentQuery({ perEnvironment }: CollectionDefinition): z.ZodType<{ environment?: string }> {
  const environment = z.string().max(100).optional().meta({ description: 'The one that is for this environment.' })
  return perEnvironment ? z.strictObject({ environment }) : z.strictObject({})
}

export function environmentOf({ environment }: { readonly environment?: string }): string {
  return environment ?? ''
}

export function toShelf(kind: string, workspaceId: string): Shelf {
  return { workspaceId, kind, parentId: '' }
}

/** `rate-limits` to `RateLimits`. */
export function toWord(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
