/** Bounds on what one request may carry, narrower than the listener's own and per API or route. */
import { z } from 'zod'
import type { Fields } from '../../kernel/fields.ts'
import { definePolicy } from '../../kernel/policy.ts'
import { defineProblem, type Problem } from '../../kernel/problem.ts'
import { CountedBody } from './counted-body.ts'

const bodyTooLarge = defineProblem({
  code: 'request_size.body_too_large',
  status: 413,
  title: 'Request body too large',
  blame: 'caller',
  remedy:
    'Send a smaller body, or in several requests. An operator can raise `maxBodyBytes` of the `request-size` entry.',
})

const headersTooLarge = defineProblem({
  code: 'request_size.headers_too_large',
  status: 431,
  title: 'Request header fields too large',
  blame: 'caller',
  remedy: 'Send fewer or shorter header fields; large cookies are the usual cause. The limit is `maxHeaderBytes`.',
})

const tooManyQueryParameters = defineProblem({
  code: 'request_size.too_many_query_parameters',
  status: 400,
  title: 'Too many query parameters',
  blame: 'caller',
  remedy: 'Send fewer query parameters; repeated ones count each time. The limit is `maxQueryParameters`.',
})

/** A field takes a colon, a space and a line end beside its name and value. */
const FIELD_EXTRA_BYTES = 4

export const requestSize = definePolicy({
  kind: 'request-size',
  title: 'Request size',
  summary: 'Refuses requests whose body, header fields or query are larger than allowed.',
  stability: 'stable',
  config: z.strictObject({
    maxBodyBytes: z.int().min(0).optional().meta({
      title: 'Largest body',
      description: 'Bytes of the body as it is sent; counted while it flows when its length is not announced.',
      unit: 'bytes',
    }),
    maxHeaderBytes: z.int().min(1).optional().meta({
      title: 'Largest header',
      description: 'All header fields together, each with its name, value and line end.',
      unit: 'bytes',
    }),
    maxQueryParameters: z.int().min(0).optional().meta({
      title: 'Most query parameters',
      description: 'How many the query may have; repeated ones count each time.',
    }),
  }),
  examples: [
    { title: 'Bodies up to one megabyte', config: { maxBodyBytes: 1_048_576 } },
    { title: 'Small requests only', config: { maxBodyBytes: 65_536, maxHeaderBytes: 4096, maxQueryParameters: 20 } },
  ],
  problems: [bodyTooLarge, headersTooLarge, tooManyQueryParameters],

  check({ maxBodyBytes, maxHeaderBytes, maxQueryParameters }, check) {
    if (maxBodyBytes === undefined && maxHeaderBytes === undefined && maxQueryParameters === undefined)
      check.report([], 'limits nothing: give `maxBodyBytes`, `maxHeaderBytes` or `maxQueryParameters`')
  },

  setup({ maxBodyBytes, maxHeaderBytes = Infinity, maxQueryParameters = Infinity }) {
    const refuseBody = (): Problem =>
      bodyTooLarge({ detail: `The body is larger than the ${maxBodyBytes} bytes that are allowed here.` })
    return {
      request({ request }) {
        if (maxHeaderBytes !== Infinity && countFieldBytes(request.fields) > maxHeaderBytes)
          return headersTooLarge({
            detail: `The header fields are larger than the ${maxHeaderBytes} bytes allowed here.`,
          })
        if (maxQueryParameters !== Infinity && countParameters(request.query) > maxQueryParameters)
          return tooManyQueryParameters({ detail: `More than ${maxQueryParameters} parameters are not allowed here.` })

        const { body } = request
        // What flows after an upgrade is a tunnel and no body.
        if (maxBodyBytes === undefined || body === undefined || request.upgrade !== undefined) return undefined
        const bodyBytes = body instanceof Uint8Array ? body.length : body.bodyBytes
        if (bodyBytes !== undefined) return bodyBytes > maxBodyBytes ? refuseBody() : undefined
        if (!(body instanceof Uint8Array)) request.body = new CountedBody(body, maxBodyBytes, refuseBody)
        return undefined
      },
    }
  },
})

function countFieldBytes({ names, values }: Fields): number {
  let bytes = names.length * FIELD_EXTRA_BYTES
  for (const name of names) bytes += name.length
  for (const value of values) bytes += value.length
  return bytes
}

/** Counts as the query's readers do: parts between ampersands, empty ones left out. */
function countParameters(query: string | undefined): number {
  if (query === undefined || query === '') return 0
  let count = 0
  for (let at = 0; at < query.length; at++) {
    const end = query.indexOf('&', at)
    if (end !== at) count++
    if (end === -1) return count
    at = end
  }
  return count
}
