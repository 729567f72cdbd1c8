/** An API: a host and base path in public, a version, its routes by hand or from its OpenAPI document. */
import { z } from 'zod'
import { address } from '../../kernel/address-syntax.ts'
import { policyList } from './policy-entry.ts'
import { expression, fieldName, host, labels, name } from './quantities.ts'
import { timeoutOverrides } from './resilience.ts'

const path = z
  .string()
  .max(2000)
  .regex(/^\/[^\s?#]*$/, 'a path that begins with / and has no query')

const fieldMatch = z.strictObject({
  name: fieldName({ title: 'Name', description: 'Name of the field or parameter.' }),
  value: z
    .string()
    .max(2000)
    .optional()
    .meta({ title: 'Value', description: 'Without it, it is enough that it is there.' }),
  absent: z.boolean().default(false).meta({
    title: 'Absent',
    description: 'True takes the requests that do not have it.',
  }),
})

const match = z
  .strictObject({
    methods: z
      .array(
        z
          .string()
          .max(40)
          .regex(/^[A-Z][A-Z0-9_-]*$/, 'a method in capital letters, such as GET'),
      )
      .default([])
      .meta({ title: 'Methods', description: 'Such as GET. Default: any.' }),
    path: path.optional().meta({
      title: 'Path',
      description:
        "Below the API's base path. `{name}` stands for one segment or, beside text as in `{name}.json`, for a part of one; a trailing `/*` for everything below.",
    }),
    hosts: z.array(host).default([]).meta({ title: 'Hosts', description: 'Default: those of the API.' }),
    headers: z.array(fieldMatch).default([]).meta({ title: 'Headers', description: 'All must match.' }),
    query: z
      .array(fieldMatch)
      .default([])
      .meta({ title: 'Query', description: 'Parameters of the query; all must match.' }),
    when: expression({ title: 'When', description: 'CEL that must be true as well.' }).optional(),
  })
  .prefault({})
  .meta({ title: 'Match', description: 'Which requests the route takes.' })

const preserveHost = z.boolean().optional().meta({
  title: 'Preserve host',
  description: "Send the client's Host to the upstream instead of the target's.",
})
const upstreamName = z
  .string()
  .optional()
  .meta({ title: 'Upstream', description: 'Name of the upstream that is called.' })

const route = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(300)
      .regex(/^[^\0-\x1F\x7F]*$/, 'text without control characters')
      .meta({
        title: 'Name',
        description:
          "Unique in the API. The `operationId` of an operation in the API's document says more about that one.",
      }),
    match,
    upstream: upstreamName,
    preserveHost,
    timeouts: timeoutOverrides.optional(),
    policies: policyList('Run after those of the API.'),
  })
  .meta({ title: 'Route', description: 'A match and what happens to what it takes.' })

const words = (title: string, description: string) => z.string().max(2000).optional().meta({ title, description })

/** What is said of an API as a whole: for people and for the catalogue, nothing that a gateway runs. */
export const apiFacts = {
  title: words('Title', 'What people call it.'),
  description: words('Description', 'What it is for, in a sentence or two.'),
  owner: words('Owner', 'Address of the person who answers for it.'),
  team: words('Team', 'Name of the team that works on it.'),
  labels: labels(),
  visibility: z.enum(['private', 'workspace', 'public']).optional().meta({
    title: 'Visibility',
    description:
      'Who finds it in the catalogue: those who may change APIs of the workspace (`private`, the default), everybody who may see the workspace (`workspace`), or everybody (`public`).',
  }),
}

/** How callers say that they mean this version, where several versions of an API stand beside each other. */
export const selector = z
  .strictObject({
    by: z.enum(['path', 'header', 'query', 'media-type']).meta({
      title: 'By',
      description:
        '`path` puts the version behind the base path; `header` and `query` look at one field or parameter; `media-type` looks at `Accept`.',
    }),
    name: fieldName({
      title: 'Name',
      description:
        'Name of the header or of the parameter. Of `media-type` the vendor: `books` for `application/vnd.books.v2+json`; without it the parameter `version` of a media type counts alone.',
    }).optional(),
    value: name({ title: 'Value', description: 'What callers say. Default: the version.' }).optional(),
    default: z.boolean().default(false).meta({
      title: 'Default',
      description: 'Whether requests that name no version mean this one. One version of an API can be the default.',
    }),
  })
  .meta({ title: 'Selector', description: 'How callers choose the version. Default: by nothing but host and path.' })

const moment = (title: string, description: string) =>
  z.iso.datetime({ offset: true }).optional().meta({ title, description })

/** What a version is in its life. A version that is only designed is not served, so no gateway hears of one. */
export const lifecycle = z
  .strictObject({
    state: z.enum(['mock', 'published', 'deprecated', 'retired']).meta({
      title: 'State',
      description:
        '`mock` answers from the OpenAPI document and calls no upstream; `published` is the normal one; `deprecated` announces its end with every answer; `retired` answers 410.',
    }),
    deprecatedAt: moment('Deprecated at', 'Since when it is deprecated: the field `Deprecation` (RFC 9745).'),
    sunsetAt: moment('Sunset at', 'When it is expected to stop answering: the field `Sunset` (RFC 8594).'),
    link: address.optional().meta({ title: 'Link', description: 'Page about the change.' }),
    successor: address.optional().meta({ title: 'Successor', description: 'Address of the version to move to.' }),
  })
  .meta({ title: 'Lifecycle', description: 'Where the version stands in its life. Default: published.' })

export const api = z
  .strictObject({
    name: name({ title: 'Name', description: 'Name of the API.' }),
    ...apiFacts,
    version: name({ title: 'Version', description: 'Several versions of one API stand beside each other.' }).default(
      '1.0.0',
    ),
    host: host.optional(),
    hosts: z.array(host).default([]).meta({ title: 'Hosts', description: 'Hosts that it is served on. Default: any.' }),
    basePath: path
      .default('/')
      .meta({ title: 'Base path', description: 'Public path of the API; route paths follow it.' }),
    upstream: upstreamName,
    spec: z.string().min(1).max(1000).optional().meta({
      title: 'OpenAPI document',
      description: 'Path of an OpenAPI 3.0, 3.1 or Swagger 2.0 document; its operations become routes.',
    }),
    stripBasePath: z.boolean().default(true).meta({
      title: 'Strip base path',
      description: 'False sends the base path on to the upstream.',
    }),
    preserveHost,
    encodedSlash: z.enum(['refuse', 'keep']).default('refuse').meta({
      title: 'Encoded slash',
      description: 'Whether `%2F` in a path is refused or kept as it is.',
    }),
    timeouts: timeoutOverrides.optional(),
    lifecycle: lifecycle.optional(),
    selector: selector.optional(),
    policies: policyList('Run for every route of the API, after the global ones.'),
    routes: z
      .array(route)
      .default([])
      .meta({ title: 'Routes', description: 'Routes by hand, or more about operations.' }),
  })
  .meta({ title: 'API', description: 'A managed interface.' })

export type ApiSettings = z.output<typeof api>
export type RouteSettings = z.output<typeof route>
