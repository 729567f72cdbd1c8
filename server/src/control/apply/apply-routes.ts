/** Configuration as code: a document in, and out again. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { may } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { countRoutes } from '../documents/check-within-bounds.ts'
import {
  breakingRefused,
  documentRefused,
  documentsBusy,
  lintRefused,
  workspaceFull,
} from '../documents/document-problems.ts'
import { allowBreaking } from '../documents/review-draft.ts'
import { guarded } from '../environments/check-guarded.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { forbidden } from '../problems.ts'
import { checkTargets } from '../webhooks/webhooks.ts'
import { applyDocument } from './apply-document.ts'
import type { Outcome } from './apply-context.ts'
import { permitExport, permitParts } from './apply-permissions.ts'
import { toDesiredState } from './desired-state.ts'
import { importFiles, reviewDesired } from './review-desired.ts'
import { exportDocument } from './export-document.ts'

const MOST_BYTES = 64 * 1024 * 1024

const outcome = z.strictObject({
  kind: z.string(),
  name: z.string(),
  action: z.enum(['created', 'changed', 'removed', 'unchanged', 'held-back']),
  reason: z
    .string()
    .optional()
    .meta({ description: 'What something that is held back waits for, or why it is not quite as the document says.' }),
  changes: z.array(z.looseObject({ pointer: z.string() })),
})

export const apply = defineRoute({
  id: 'apply',
  method: 'POST',
  path: '/workspaces/{workspace}/apply',
  tag: 'configuration',
  summary: 'Makes an environment say what a document says, in one step; with dryRun, says what would change.',
  permission: 'apis.write',
  effect: 'action',
  maxBodyBytes: MOST_BYTES,
  body: z.strictObject({
    document: z.looseObject({ headgate: z.literal(1) }).meta({ description: 'The shape of a headgate.yaml.' }),
    files: z
      .record(z.string().max(1000), z.string())
      .default({})
      .meta({ description: 'The OpenAPI documents by the path under which the document names them.' }),
    environment: z.string().max(100).optional().meta({ description: 'Default: the default environment.' }),
    allowBreaking,
    source: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/, 'letters, digits, dots, dashes, underscores and slashes')
      .default('cli')
      .meta({ description: 'Who manages this; only what the same source applied before is ever removed.' }),
  }),
  output: z.strictObject({ environment: z.string(), changed: z.boolean(), outcomes: z.array(outcome) }),
  problems: [documentRefused, documentsBusy, workspaceFull, lintRefused, breakingRefused, guarded],
  async handle(call) {
    const { control, body } = call
    const environment = await toEnvironmentName(call.db, body.environment)
    const document = documentOf(call)
    permitParts(call, document)
    const texts = await importFiles(call, body.files)
    const counts = await countRoutes(call, document, texts)
    const desired = toDesiredState(document, texts)
    checkTargets(control, desired.webhooks, (index) => `webhooks[${index}].url`)
    const reviews = await reviewDesired(call, desired, counts, body.allowBreaking)
    return call.write(async (write) => {
      const outcomes: Outcome[] = []
      await applyDocument({ call, write, environment, source: body.source, outcomes, reviews }, desired)
      const done = outcomes.filter(({ action }) => action !== 'unchanged')
      const note = { outcomes: done.map(({ kind, name, action }) => `${action} ${kind} ${name}`) }
      write.note({ kind: 'apply', id: body.source, name: environment, after: note })
      const shown = outcomes.map((each) => ({ ...each, changes: each.changes.map((change) => ({ ...change })) }))
      return { body: { environment, changed: done.length > 0, outcomes: shown } }
    })
  },
})

export const exportConfiguration = defineRoute({
  id: 'export',
  method: 'GET',
  path: '/workspaces/{workspace}/export',
  tag: 'configuration',
  summary: 'Gives what is live in an environment as a document: sorted, secrets as references, keys as hashes.',
  // An export holds hashes of keys.
  permission: 'credentials.read',
  effect: 'read',
  query: z.strictObject({ environment: z.string().max(100).optional() }),
  output: z.strictObject({
    environment: z.string(),
    document: z.looseObject({ headgate: z.literal(1) }),
    files: z.record(z.string(), z.string()),
  }),
  async handle(call) {
    if (!may(call.actor, 'apis.read', call.workspace.id)) {
      refuse(forbidden({ detail: 'This needs the permission apis.read.' }))
    }
    const environment = await toEnvironmentName(call.db, call.query.environment)
    // They are the installation's: a role in the default workspace is no right to see them, nor could it apply them. A
    // document without them lets them be.
    const withGateway = may(call.actor, 'environments.read', '')
    const { document, files } = await exportDocument(call.db, call.workspace, environment, withGateway)
    permitExport(call, document)
    const whole = { ...document, headgate: 1 as const }
    return { body: { environment, document: whole, files: Object.fromEntries(files) } }
  },
})

function documentOf({ given }: Pick<Call, 'given'>): JsonObject {
  const document = isJsonObject(given) ? given['document'] : undefined
  if (!isJsonObject(document)) throw new TypeError('the schema asks for a document')
  return document
}
