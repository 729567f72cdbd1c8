/** The OpenAPI 3.1 document of the admin API, from the operations themselves. */
import { z } from 'zod'
import type { JsonObject } from '../kernel/json.ts'
import type { AdminRoute } from './define-route.ts'
import { MERGE_PATCH } from './resources/merge-patch.ts'

export function toOpenApi(routes: readonly AdminRoute[], version: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    const methods = (paths[route.path] ??= {})
    methods[route.method.toLowerCase()] = toOperation(route)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Headgate admin API', version },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }],
    paths,
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } }, schemas: { Problem: problem } },
  }
}

const problem: JsonObject = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable for ever.' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    remedy: { type: 'string', description: 'What to do about it.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string' },
          detail: { type: 'string' },
          rule: { type: 'string' },
          remedy: { type: 'string' },
        },
      },
    },
  },
}

function toOperation(route: AdminRoute): JsonObject {
  const { id, method, tag, summary, permission, body, output, effect, mediaType = 'application/json' } = route
  const status = effect === 'create' ? '201' : output === undefined ? '204' : '200'
  const done: JsonObject =
    output === undefined
      ? { description: 'Done.' }
      : { description: 'Done.', content: { [mediaType]: { schema: toSchema(output, 'output') } } }
  const bodyType = method === 'PATCH' ? MERGE_PATCH : 'application/json'
  const responses: JsonObject = {
    [status]: done,
    default: {
      description: 'Refused; nothing was changed.',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    'x-permission': typeof permission === 'string' ? permission : permission.door,
    ...(typeof permission !== 'string' && permission.door === 'public' ? { security: [] } : {}),
    parameters: [...pathParameters(route), ...queryParameters(route), ...fieldParameters(route)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [bodyType]: { schema: toSchema(body, 'input') } } } }),
    responses,
  }
}

function pathParameters({ path }: AdminRoute): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters({ query, effect }: AdminRoute): JsonObject[] {
  const shape = query instanceof z.ZodObject ? Object.entries(query.shape) : []
  const own = shape.map(([name, schema]) => ({ name, in: 'query', schema: toSchema(schema, 'input') }))
  const dryRun = {
    name: 'dryRun',
    in: 'query',
    description: 'Does everything, then undoes it.',
    schema: { type: 'boolean' },
  }
  return effect === 'read' ? own : [...own, dryRun]
}

function fieldParameters({ effect }: AdminRoute): JsonObject[] {
  if (effect === 'change' || effect === 'remove') {
    const description = 'The ETag of what is changed; a change without it is refused with 428.'
    return [{ name: 'If-Match', in: 'header', required: true, description, schema: { type: 'string' } }]
  }
  if (effect === 'read') return []
  const description = 'The same key answers the same request as the first time, for a day.'
  return [{ name: 'Idempotency-Key', in: 'header', description, schema: { type: 'string' } }]
}

function toSchema(schema: unknown, io: 'input' | 'output'): JsonObject {
  if (!(schema instanceof z.ZodType)) throw new TypeError('a shape is a schema')
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  // What zod gives is JSON by its nature; its type allows functions on it besides.
  return rest as JsonObject
}
