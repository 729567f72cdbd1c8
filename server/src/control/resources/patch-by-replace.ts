/**
 * Changes parts of a thing whose replacement is an operation of its own: the patch is laid over what is there, and what
 * comes out is replaced with, by the same checks.
 */
import type { z } from 'zod'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { defineRoute, type AdminRoute, type Call } from '../define-route.ts'
import { parseInput } from '../parse-input.ts'
import { mergePatch } from './merge-patch.ts'
import { toPatchSchema } from './patch-schema.ts'

export interface PatchParts {
  readonly id: string
  readonly summary: string
  /** Replaces the thing; the patch has its path, permission and problems. */
  readonly replace: AdminRoute
  /** Default: every key of the replacement's body. */
  readonly body?: z.ZodType
  /** The body that would replace the thing with itself, and the version that it is of. */
  readonly read: (call: Call) => Promise<{ readonly document: JsonObject; readonly version: number }>
}

export function patchByReplace({ id, summary, replace, body, read }: PatchParts): AdminRoute {
  return defineRoute({
    ...replace,
    id,
    method: 'PATCH',
    summary,
    body: body ?? toPatchSchema(replace.body),
    async handle(call) {
      const { document, version } = await read(call)
      // The schema of the body has said that it is an object of JSON.
      const given = mergePatch(document, call.given as JsonValue)
      if (replace.body === undefined || !isJsonObject(given)) throw new TypeError('an object with a patch stays one')
      const parsed = parseInput(replace.body, given, '')
      // The patch was laid over this very version: over another one it might say something else.
      return replace.handle({ ...call, given, body: parsed, expectedVersion: call.expectedVersion ?? version })
    },
  })
}
