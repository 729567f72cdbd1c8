/**
 * Cross-origin resource sharing (Fetch standard §3.3): tells browsers which other sites' pages may read our answers.
 *
 * A preflight carries no credentials, so it is answered before any authentication. All other requests pass; the answer
 * gets the fields, problems included, and whatever the upstream says about CORS itself is replaced.
 */
import { z } from 'zod'
import { createReply, type Exchange, type ExchangeRequest, type Reply } from '../../kernel/exchange.ts'
import { fieldName } from '../../kernel/field-syntax.ts'
import type { Fields } from '../../kernel/fields.ts'
import { definePolicy } from '../../kernel/policy.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { createOriginList, originFault } from './origins.ts'

const originNotAllowed = defineProblem({
  code: 'cors.origin_not_allowed',
  status: 403,
  title: 'Origin not allowed',
  blame: 'caller',
  remedy:
    'Add the origin of the page to `origins` of the `cors` entry. An origin is scheme, host and port, without a path or a slash at the end.',
})

const config = z.strictObject({
  origins: z.array(z.string().min(1).max(300)).min(1).max(500).meta({
    title: 'Origins',
    description:
      'Origins whose pages may read answers: `https://app.example.com`, `https://*.example.com` for all hosts below, or `*` for everybody.',
  }),
  methods: z
    .array(z.string().regex(/^[A-Z][A-Z-]*$/, 'a method in upper case'))
    .min(1)
    .max(40)
    .default(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .meta({ title: 'Methods', description: 'Methods that pages may use.' }),
  requestHeaders: z
    .array(fieldName.or(z.literal('*')))
    .max(100)
    .default(['*'])
    .meta({
      title: 'Request headers',
      description: 'Header fields that pages may send beside the harmless ones; `*` for any.',
    }),
  exposedHeaders: z.array(fieldName).max(100).default([]).meta({
    title: 'Exposed headers',
    description: 'Header fields of answers that pages may read beside the harmless ones.',
  }),
  credentials: z.boolean().default(false).meta({
    title: 'Credentials',
    description:
      'Let pages send cookies and other credentials of the browser. Not together with `*` or `null` as origin.',
  }),
  maxAgeSeconds: z.int().min(0).max(86_400).default(600).meta({
    title: 'Preflight lifetime',
    description: 'How long a browser may keep the answer to a preflight.',
    unit: 'seconds',
  }),
  privateNetwork: z.boolean().default(false).meta({
    title: 'Private network',
    description: 'Let pages from the public internet reach this gateway in a private network (Private Network Access).',
  }),
})

type Config = z.output<typeof config>

export const cors = definePolicy({
  kind: 'cors',
  title: 'CORS',
  summary: 'Lets pages of other sites call the API from a browser.',
  stability: 'stable',
  config,
  examples: [
    {
      title: 'One site and its subdomains, with cookies',
      config: { origins: ['https://example.com', 'https://*.example.com'], credentials: true },
    },
    { title: 'Open data for everybody', config: { origins: ['*'], methods: ['GET', 'HEAD'] } },
  ],
  problems: [originNotAllowed],
  answersPreflight: true,

  check({ origins, credentials, methods, requestHeaders }, check) {
    for (const [at, entry] of origins.entries()) {
      const fault = originFault(entry)
      if (fault !== undefined) check.report(['origins', at], fault)
      else if (entry === '*' && origins.length > 1)
        check.report(['origins'], '`*` allows every origin: leave the others out')
      // With either, any page on the internet could act for a logged-in user.
      if (credentials && (entry === '*' || entry === 'null')) {
        check.report(['credentials'], `credentials cannot go together with the origin ${entry}: name the origins`)
      }
    }
    if (requestHeaders.includes('*') && requestHeaders.length > 1)
      check.report(['requestHeaders'], '`*` allows every header: leave the others out')
    if (methods.includes('OPTIONS')) check.report(['methods'], 'OPTIONS is the preflight itself: leave it out')
  },

  setup(config) {
    const origins = createOriginList(config.origins)
    const refused = originNotAllowed({
      detail: 'The origin of the page is not among those that may call this API.',
      headers: { vary: PREFLIGHT_VARY },
    })
    return {
      request({ request }) {
        if (!isPreflight(request)) return undefined
        const origin = origins.allow(request.fields.get('origin') ?? '')
        return origin === undefined ? refused : answerPreflight(request.fields, origin, config)
      },
      response(exchange) {
        // A preflight's own answer is whole already.
        if (!isPreflight(exchange.request))
          addFields(exchange, origins.allow(exchange.request.fields.get('origin') ?? ''), config)
      },
    }
  },
})

/** Fetch standard, CORS-preflight request: OPTIONS alone is none, and passes to the upstream. */
function isPreflight({ method, fields }: ExchangeRequest): boolean {
  return method === 'OPTIONS' && fields.has('origin') && fields.has('access-control-request-method')
}

const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

function answerPreflight(asked: Fields, origin: string, config: Config): Reply {
  const reply = createReply(204, {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': config.methods.join(', '),
    'access-control-max-age': String(config.maxAgeSeconds),
    vary: PREFLIGHT_VARY,
  })
  const headers = allowedHeaders(asked.joined('access-control-request-headers'), config)
  if (headers !== '') reply.fields.append('access-control-allow-headers', headers)
  if (config.credentials) reply.fields.append('access-control-allow-credentials', 'true')
  if (config.privateNetwork && asked.get('access-control-request-private-network') === 'true') {
    reply.fields.append('access-control-allow-private-network', 'true')
  }
  return reply
}

/** Names what was asked for instead of `*`, which browsers take literally with credentials and never for authorization. */
function allowedHeaders(asked: string | undefined, { requestHeaders }: Config): string {
  if (!requestHeaders.includes('*')) return requestHeaders.join(', ')
  return asked !== undefined && HEADER_LIST.test(asked) ? asked : ''
}

const HEADER_LIST = /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}$/

const CORS_FIELDS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
  'access-control-allow-private-network',
]

function addFields({ reply }: Exchange, origin: string | undefined, { credentials, exposedHeaders }: Config): void {
  if (reply === undefined) return
  const { fields } = reply
  for (const name of CORS_FIELDS) fields.remove(name)
  addVary(fields)
  if (origin === undefined) return
  fields.append('access-control-allow-origin', origin)
  if (credentials) fields.append('access-control-allow-credentials', 'true')
  if (exposedHeaders.length > 0) fields.append('access-control-expose-headers', exposedHeaders.join(', '))
}

/** Always, also for callers without an origin: a cache must not give their answer to a page of another site. */
function addVary(fields: Fields): void {
  const listed = fields.joined('vary')?.toLowerCase().split(',') ?? []
  if (listed.some((name) => name.trim() === 'origin' || name.trim() === '*')) return
  fields.append('vary', 'Origin')
}
