/** Sends a request to another path, or with another query, than the client asked for. */
import { z } from 'zod'
import { definePolicy, type PolicyInstance } from '../../kernel/policy.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { textValue } from '../../kernel/text-value.ts'
import { checkPath, checkPrefix, compilePath } from './forward-path.ts'
import { checkQuery, compileQuery } from './query-edit.ts'

const unsafePath = defineProblem({
  code: 'rewrite.unsafe_path',
  status: 400,
  title: 'Rewritten path is ambiguous',
  blame: 'caller',
  remedy:
    'Values of the request are inserted into the path for the upstream, and these would make a path that servers read in different ways. Send plain values, without dots alone, control characters and encodings of encodings.',
})

const prefix = z
  .string()
  .max(2000)
  .regex(/^\/[^\s?#]*$/, 'a path that begins with / and has no query')

export const rewrite = definePolicy({
  kind: 'rewrite',
  title: 'Rewrite',
  summary: 'Sends a request to another path of the upstream, or with another query.',
  stability: 'stable',
  config: z.strictObject({
    path: textValue.optional().meta({
      title: 'Path',
      description: 'Path for the upstream: `{name}` inserts a parameter of the route, or CEL gives the whole path.',
    }),
    replacePrefix: z
      .strictObject({
        from: prefix.meta({ title: 'From', description: 'Beginning of the public path, base path included.' }),
        to: prefix.meta({ title: 'To', description: 'What stands there instead; `/` for nothing.' }),
      })
      .optional()
      .meta({ title: 'Replace prefix', description: 'Changes the beginning of the path and keeps the rest.' }),
    query: z
      .strictObject({
        remove: z
          .array(z.string().min(1).max(200))
          .max(100)
          .default([])
          .meta({ title: 'Remove', description: 'Parameters to take away, all values of each.' }),
        set: z
          .record(z.string().min(1).max(200), textValue)
          .default({})
          .meta({ title: 'Set', description: 'Values by name; the parameter has this one value afterwards.' }),
      })
      .optional()
      .meta({ title: 'Query', description: 'Changes to the query; all other parameters stay byte for byte.' }),
  }),
  examples: [
    { title: 'Another layout behind a stable address', config: { path: '/catalogue/v2/items/{id}' } },
    {
      title: 'A base path that the upstream calls differently',
      config: { replacePrefix: { from: '/shop', to: '/v2' } },
    },
    {
      title: 'The tenant comes from the credential and from nowhere else',
      config: { query: { remove: ['debug'], set: { tenant: { expression: 'principal.consumer' } } } },
    },
  ],
  problems: [unsafePath],

  check({ path, replacePrefix, query }, check) {
    if (path === undefined && replacePrefix === undefined && query === undefined)
      check.report([], 'changes nothing: give `path`, `replacePrefix` or `query`')
    if (path !== undefined && replacePrefix !== undefined)
      check.report(['replacePrefix'], 'has no effect, because `path` replaces the whole path')
    if (path !== undefined) checkPath(path, check)
    if (replacePrefix !== undefined) checkPrefix(replacePrefix, check)
    if (query !== undefined) checkQuery(query, check)
  },

  setup({ path, replacePrefix, query }, services): PolicyInstance {
    const rewritePath = compilePath(path, replacePrefix, services)
    const queryOf = query && compileQuery(query, services)
    return {
      request(exchange) {
        if (rewritePath !== undefined && !rewritePath(exchange)) return unsafePath()
        if (queryOf !== undefined) exchange.request.query = queryOf(exchange)
        return undefined
      },
    }
  },
})
