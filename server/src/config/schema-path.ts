/** Finds the part of a zod schema that a key path leads to, through defaults, optionals, lists, maps and unions. */
import { globalRegistry, type z } from 'zod'
import type { KeyPath } from './issues.ts'

/** The keys that objects at a path may have. */
export function keysAt(schema: z.core.$ZodType, path: KeyPath): string[] {
  return [...new Set(follow([schema], path).flatMap((each) => ('shape' in each ? Object.keys(each.shape) : [])))]
}

/** The schema at a path as it was written, with its defaults around it. */
export function schemaAt(schema: z.core.$ZodType, path: KeyPath): z.core.$ZodType | undefined {
  const key = path.at(-1)
  if (key === undefined) return schema
  return follow([schema], path.slice(0, -1)).flatMap((each) => children(each, key))[0]
}

/** The title, description and other facts of a schema. */
export function toDefinition(schema: z.core.$ZodType): z.core.GlobalMeta {
  return globalRegistry.get(schema) ?? {}
}

type Definition = z.core.$ZodTypes['_zod']['def']

function follow(schemas: readonly z.core.$ZodType[], path: KeyPath): Definition[] {
  const here = schemas.flatMap(unwrap)
  const [key, ...rest] = path
  if (key === undefined) return here
  return follow(
    here.flatMap((each) => children(each, key)),
    rest,
  )
}

function children(definition: Definition, key: string | number): z.core.$ZodType[] {
  switch (definition.type) {
    case 'object': {
      const child = Object.hasOwn(definition.shape, key) ? definition.shape[key] : undefined
      return child === undefined ? [] : [child]
    }
    case 'array':
      return [definition.element]
    case 'record':
      return [definition.valueType]
    default:
      return []
  }
}

/** What stands below defaults and optionals; all ways of a union. */
function unwrap(schema: z.core.$ZodType): Definition[] {
  // Every schema of zod is one of this union; the type of its definition tells which.
  const definition = (schema as z.core.$ZodTypes)._zod.def
  switch (definition.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
    case 'readonly':
      return unwrap(definition.innerType)
    case 'lazy':
      return unwrap(definition.getter())
    case 'union':
      return definition.options.flatMap(unwrap)
    case 'intersection':
      return [definition.left, definition.right].flatMap(unwrap)
    default:
      return [definition]
  }
}
