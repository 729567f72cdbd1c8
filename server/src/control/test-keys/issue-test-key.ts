/** Keys to try an API with: of a consumer that is nobody's, for one environment, and over after a day. */
import { z } from 'zod'
import { defineProblem } from '../../kernel/problem.ts'
import { may } from '../actor.ts'
import { consumerPart } from '../consumers/consumer-part.ts'
import { consumers } from '../consumers/consumers.ts'
import { refuse } from '../control-error.ts'
import { insertCredential, newCredential } from '../credentials/credential-store.ts'
import type { Call, Write } from '../define-route.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { readEnvironment } from '../environments/read-environment.ts'
import type { Permission } from '../permissions.ts'
import { forbidden } from '../problems.ts'
import { putResource } from '../resources/put-resources.ts'
import { findResource, type Resource } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { publishResources } from '../snapshots/publish-resources.ts'

/** Who calls an API to see whether it works, before anybody else does. */
export const TEST_CONSUMER = 'test'

const LIFE_MS = 86_400_000
const NEEDED: readonly Permission[] = ['consumers.write', 'credentials.write']

export const testKeysRefused = defineProblem({
  code: 'environment.no_test_keys',
  status: 409,
  title: 'The environment allows no test keys',
  blame: 'caller',
  remedy: 'Ask for a test key in another environment, or allow them in this one: `testKeys`.',
})

export const testKeyWish = z
  .strictObject({
    environment: z.string().max(100).optional().meta({ description: 'Default: the default environment.' }),
  })
  .meta({ description: 'Makes a key to try it with, which is over after a day.' })

export const testKeyView = z.strictObject({
  consumer: z.string(),
  environment: z.string(),
  key: z.string().meta({ description: 'Shown once.' }),
  expiresAt: z.iso.datetime(),
})

type TestCall = Pick<Call, 'control' | 'actor' | 'workspace'>

/** Refuses where the environment allows none, and those who may not make keys. */
export async function issueTestKey(
  call: TestCall,
  write: Write,
  wanted: string | undefined,
): Promise<z.input<typeof testKeyView>> {
  const { control, workspace, actor } = call
  const missing = NEEDED.find((permission) => !may(actor, permission, workspace.id))
  if (missing !== undefined) refuse(forbidden({ detail: `This needs the permission ${missing}.` }))
  const environment = await toEnvironmentName(write.db, wanted)
  if (!(await allowsTestKeys(write.db, environment))) {
    refuse(testKeysRefused({ detail: `${environment} allows no test keys.` }))
  }
  const owner =
    (await findTestConsumer(call, write, environment)) ?? (await createTestConsumer(call, write, environment))
  const nowMs = control.clock.now()
  // Those that are over are of no use, and would add up.
  await write.db
    .deleteFrom('credentials')
    .where('consumer_id', '=', owner.id)
    .where('expires_at_ms', '<=', nowMs)
    .execute()
  const expiresAtMs = nowMs + LIFE_MS
  const { credential, key } = newCredential(control, owner, { name: control.newId('try'), expiresAtMs })
  if (key === undefined) throw new Error('a credential without a hash has a key')
  await insertCredential(write.db, credential)
  await publishResources({ control, workspace, write }, consumerPart, [owner])
  write.note({ kind: 'credential', id: credential.id, name: `${owner.name}/${credential.name}` })
  return { consumer: owner.name, environment, key, expiresAt: toTime(expiresAtMs) }
}

export async function allowsTestKeys(db: Write['db'], environment: string): Promise<boolean> {
  return (await readEnvironment(db, environment)).test_keys === 1
}

/** Whether somebody was given a key that is still good. */
export async function hasTestKey(call: TestCall, write: Write, environment: string): Promise<boolean> {
  const owner = await findTestConsumer(call, write, environment)
  if (owner === undefined) return false
  const nowMs = call.control.clock.now()
  const good = await write.db
    .selectFrom('credentials')
    .select('id')
    .where('consumer_id', '=', owner.id)
    .where('revoked_at_ms', 'is', null)
    .where((where) => where.or([where('expires_at_ms', 'is', null), where('expires_at_ms', '>', nowMs)]))
    .executeTakeFirst()
  return good !== undefined
}

/** The test consumer of an environment, which no other one knows. */
function findTestConsumer({ workspace }: TestCall, { db }: Write, environment: string): Promise<Resource | undefined> {
  return findResource(db, { workspaceId: workspace.id, kind: 'consumer', parentId: '' }, TEST_CONSUMER, environment)
}

function createTestConsumer(call: TestCall, write: Write, environment: string): Promise<Resource> {
  const { control, workspace, actor } = call
  return putResource(consumers, {
    call: { control, workspace, actor, expectedVersion: undefined },
    write,
    environment,
    document: { name: TEST_CONSUMER, labels: { purpose: 'test' } },
    row: undefined,
  })
}
