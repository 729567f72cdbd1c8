/** Changes header fields of the request before the upstream sees them, and of the answer before the client does. */
import { z } from 'zod'
import { definePolicy, type PolicyInstance } from '../../kernel/policy.ts'
import { checkEdit, compileEdit, fieldEdit, toClaim, toDisguiseRemoval } from './field-edit.ts'

export const headers = definePolicy({
  kind: 'headers',
  title: 'Headers',
  summary: 'Removes, renames, sets and adds header fields of requests and answers.',
  stability: 'stable',
  config: z.strictObject({
    request: fieldEdit.optional().meta({ title: 'Request', description: 'Changes to what the upstream gets.' }),
    response: fieldEdit
      .optional()
      .meta({ title: 'Response', description: 'Changes to what the client gets, also when Headgate itself answers.' }),
  }),
  examples: [
    {
      title: 'Security headers on every answer, and no word about the software behind it',
      config: {
        response: {
          remove: ['server', 'x-powered-by'],
          set: { 'strict-transport-security': 'max-age=31536000', 'x-content-type-options': 'nosniff' },
        },
      },
    },
    {
      title: 'The upstream learns who calls, and no client can say so itself',
      config: { request: { remove: ['x-internal-*'], set: { 'x-consumer': { expression: 'principal.consumer' } } } },
    },
  ],
  problems: [],

  variesBy: (field) => ({ response: { add: { vary: field } } }),

  check({ request, response }, check) {
    if (request === undefined && response === undefined)
      check.report([], 'changes nothing: give `request` or `response`')
    if (request !== undefined) checkEdit(request, 'request', check)
    if (response !== undefined) checkEdit(response, 'response', check)
  },

  setup({ request, response }, services): PolicyInstance {
    const editRequest = request && compileEdit(request, services)
    const removeDisguises = request && toDisguiseRemoval(request)
    const editResponse = response && compileEdit(response, services)
    return {
      claims: {
        ...(request && { request: toClaim(request) }),
        ...(response && { response: toClaim(response) }),
      },
      ...(editRequest && {
        request(exchange) {
          removeDisguises?.(exchange.request.fields, exchange)
          editRequest(exchange.request.fields, exchange)
          return undefined
        },
      }),
      ...(editResponse && {
        response(exchange) {
          if (exchange.reply !== undefined) editResponse(exchange.reply.fields, exchange)
        },
      }),
    }
  },
})
