/** From an OpenAPI document to a protected, published API in one call. */
import { z } from 'zod'
import { policyList } from '../../config/schema/policy-entry.ts'
import { name } from '../../config/schema/quantities.ts'
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { isJsonObject } from '../../kernel/json.ts'
import { applyDocument } from '../apply/apply-document.ts'
import { tell, type ApplyContext, type Outcome } from '../apply/apply-context.ts'
import { reviewDesired, toVersionKey } from '../apply/review-desired.ts'
import { toDesiredState } from '../apply/desired-state.ts'
import { may } from '../actor.ts'
import type { Control } from '../control.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { countRoutes } from '../documents/check-within-bounds.ts'
import {
  breakingRefused,
  documentRefused,
  documentsBusy,
  lintRefused,
  workspaceFull,
} from '../documents/document-problems.ts'
import { importAddress, importText, type Imported } from '../documents/import-text.ts'
import { allowBreaking } from '../documents/review-draft.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import type { Permission } from '../permissions.ts'
import { forbidden, invalid } from '../problems.ts'
import { allowsTestKeys, hasTestKey, issueTestKey } from '../test-keys/issue-test-key.ts'

const SPEC = 'openapi.json'
const MOST_BYTES = 96 * 1024 * 1024

const NEEDED: readonly Permission[] = [
  'upstreams.write',
  'revisions.write',
  'deployments.write',
  'consumers.write',
  'credentials.write',
]

const body = z.strictObject({
  document: z
    .union([z.string().min(1), z.looseObject({})])
    .optional()
    .meta({ description: 'The OpenAPI document, as text (JSON or YAML) or as an object.' }),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional()
    .meta({ description: 'Where the document is fetched from instead.' }),
  allowBreaking,
  name: name({ title: 'Name', description: 'Name of the API. Default: from its title.' }).optional(),
  version: name({ title: 'Version', description: 'Default: the one that the document says.' }).optional(),
  basePath: z.string().max(2000).optional().meta({ description: 'Public path. Default: / and the name.' }),
  upstreamUrl: z.url().optional().meta({ description: 'Where it runs. Default: the first server of the document.' }),
  environment: z.string().max(100).optional().meta({ description: 'Default: the default environment.' }),
  policies: policyList('Policies of the API. Default: it asks for a key.').unwrap().optional(),
})

export const importOpenApi = defineRoute({
  id: 'importOpenApi',
  method: 'POST',
  path: '/workspaces/{workspace}/imports',
  tag: 'configuration',
  summary:
    'Publishes an API from its OpenAPI document: upstream, version, revision, deployment and a key to try it with.',
  permission: 'apis.write',
  effect: 'create',
  maxBodyBytes: MOST_BYTES,
  body,
  output: z.strictObject({
    api: z.string(),
    version: z.string(),
    environment: z.string(),
    basePath: z.string(),
    routes: z.int(),
    key: z.string().optional().meta({ description: 'Key of the test consumer, when it was made just now.' }),
    outcomes: z.array(z.strictObject({ kind: z.string(), name: z.string(), action: z.string() })),
    findings: z.array(z.looseObject({})).meta({ description: 'What was mended in the document or is noted of it.' }),
    report: z.looseObject({}).meta({ description: 'As the revision has it.' }),
  }),
  problems: [documentRefused, documentsBusy, workspaceFull, lintRefused, breakingRefused],
  async handle(call) {
    const missing = NEEDED.find((permission) => !may(call.actor, permission, call.workspace.id))
    if (missing !== undefined) refuse(forbidden({ detail: `This needs the permission ${missing}.` }))
    const environment = await toEnvironmentName(call.db, call.body.environment)
    const imported = await importGiven(call)
    const { document, texts, api, version, basePath } = toDocument(call, imported)
    const counts = await countRoutes(call, document, texts)
    const desired = toDesiredState(document, texts)
    const reviews = await reviewDesired(call, desired, counts, call.body.allowBreaking)
    return call.write(async (write) => {
      const outcomes: Outcome[] = []
      const context = { call, write, environment, source: `import/${api}/${version}`, outcomes, reviews }
      await applyDocument(context, desired)
      const key = await makeTestKey(context)
      const shown = outcomes.map(({ kind, name: each, action }) => ({ kind, name: each, action }))
      const facts = { api, version, environment, basePath, routes: counts[0]?.routes ?? 0, outcomes: shown }
      const findings = imported.findings.map((finding) => ({ ...finding }))
      const { report = {} } = reviews.get(toVersionKey(api, version)) ?? {}
      write.note({ kind: 'import', id: api, name: `${api} ${version}` })
      return { status: 201, body: { ...facts, findings, report: { ...report }, ...(key === undefined ? {} : { key }) } }
    })
  },
})

type ImportCall = Call<unknown, unknown, z.output<typeof body>>

function importGiven(call: ImportCall): Promise<Imported> {
  const { document, url } = call.body
  if ((document === undefined) === (url === undefined)) {
    const detail = 'Send either `document` or `url`.'
    refuse(invalid({ detail, errors: [{ pointer: '/document', detail }] }))
  }
  if (url !== undefined) return importAddress(call, url)
  return importText(call, typeof document === 'string' ? document : JSON.stringify(document))
}

function toDocument({ control, body: given, given: sent }: ImportCall, { text, proposal }: Imported) {
  const { name: api = proposal.name, version = proposal.version, upstreamUrl = proposal.servers[0] } = given
  if (upstreamUrl === undefined) {
    const detail =
      'The document names no server with an absolute URL. Say where the API runs: `upstreamUrl`, on the command line --upstream.'
    refuse(invalid({ detail, errors: [{ pointer: '/upstreamUrl', detail }] }))
  }
  const basePath = given.basePath ?? `/${api}`
  // As they were written: the schema has put its defaults into the others.
  const written = isJsonObject(sent) ? sent['policies'] : undefined
  const policies: JsonValue = written ?? askForKeys(control)
  const entry: JsonObject = { name: api, version, basePath, upstream: api, spec: SPEC, policies }
  const { title, description = '' } = proposal
  const words: JsonObject = { title: title.slice(0, 200), description }
  const document: JsonObject = {
    headgate: 1,
    upstreams: [{ name: api, targets: [{ url: upstreamUrl ?? '' }] }],
    apis: [{ ...entry, ...words }],
  }
  return { document, texts: new Map([[SPEC, text]]), api, version, basePath }
}

/** An API is closed from its first moment: whoever wants it open says so. */
function askForKeys({ policies }: Control): JsonValue {
  const asking = policies.find((policy) => policy.usesKeys === true && policy.config.safeParse({}).success)
  if (asking === undefined) throw new Error('no policy asks for keys')
  return [{ kind: asking.kind }]
}

/** A key to try it with; undefined when the test consumer has one that is good, or the environment allows none. */
async function makeTestKey(context: ApplyContext): Promise<string | undefined> {
  const { call, write, environment } = context
  if (await hasTestKey(call, write, environment)) return undefined
  if (!(await allowsTestKeys(write.db, environment))) return undefined
  const { consumer, key } = await issueTestKey(call, write, environment)
  tell(context, 'credential', consumer, 'created')
  return key
}
