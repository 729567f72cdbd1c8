/** Which workspace may publish where in an environment: set by whoever runs it, whatever the workspaces' own people may do. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { toPlaceText } from '../deployments/route-overlap.ts'
import { invalid } from '../problems.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { isWithin, OTHERS, parsePlace, placesByWorkspace, placesOf } from './places.ts'
import { readEnvironment, type Environment } from './read-environment.ts'

const params = z.strictObject({ environment: z.string().max(100) })
const path = '/environments/{environment}/places'

/** Routes outside that an answer names. */
const MOST_OUTSIDE = 100

const facts = {
  workspaces: placesByWorkspace.meta({
    title: 'Workspaces',
    description:
      'Where each may publish: `api.example.com`, `*.example.com/books`, or `*/books` for a path on any host; `*` names all others; without it, one that is not named publishes anywhere.',
  }),
}

const view = z.strictObject({
  ...facts,
  outside: z
    .array(z.strictObject({ workspace: z.string(), place: z.string() }))
    .meta({ description: 'What is live elsewhere, and stays so until it is deployed again; the first hundred.' }),
})

export const getPlaces = defineRoute({
  id: 'getPlaces',
  method: 'GET',
  path,
  tag: 'environments',
  summary: 'Shows where workspaces may publish in an environment, and what is live elsewhere.',
  permission: 'environments.read',
  effect: 'read',
  params,
  output: view,
  async handle({ db, params: { environment } }) {
    const row = await readEnvironment(db, environment)
    return { body: await toView(db, row), etag: row.version }
  },
})

export const replacePlaces = defineRoute({
  id: 'replacePlaces',
  method: 'PUT',
  path,
  tag: 'environments',
  summary: 'Says where workspaces may publish in an environment. What is live stays live.',
  permission: 'environments.write',
  effect: 'change',
  params,
  body: z.strictObject(facts),
  output: view,
  async handle({ control, params: { environment }, body, expectedVersion, ...call }) {
    checkWritten(body.workspaces)
    return call.write(async (write) => {
      await checkKnown(write.db, body.workspaces)
      const before = await readEnvironment(write.db, environment)
      checkVersion(before, expectedVersion)
      const places = JSON.stringify(body.workspaces)
      const changes = { places, version: before.version + 1, updated_at_ms: control.clock.now() }
      await write.db.updateTable('environments').set(changes).where('id', '=', before.id).execute()
      const note = { kind: 'environment', id: before.id, name: before.name }
      write.note({ ...note, before: { places: JSON.parse(before.places) }, after: { places: body.workspaces } })
      return { body: await toView(write.db, { ...before, ...changes }), etag: changes.version }
    })
  },
})

type Written = z.output<typeof placesByWorkspace>

function checkWritten(workspaces: Written): void {
  const errors = Object.entries(workspaces).flatMap(([workspace, places]) =>
    places.flatMap((text, at) => {
      const place = parsePlace(text)
      return typeof place === 'string' ? [{ pointer: `/workspaces/${workspace}/${at}`, detail: place }] : []
    }),
  )
  if (errors.length > 0) refuse(invalid({ errors }))
}

/** A name that is misspelt would bound nobody. */
async function checkKnown(db: Kysely<Tables>, workspaces: Written): Promise<void> {
  const rows = await db.selectFrom('workspaces').select('name').execute()
  const unknown = Object.keys(workspaces).filter((each) => each !== OTHERS && !rows.some(({ name }) => name === each))
  if (unknown.length === 0) return
  refuse(
    invalid({
      errors: unknown.map((each) => ({ pointer: `/workspaces/${each}`, detail: 'there is none of this name' })),
    }),
  )
}

async function toView(db: Kysely<Tables>, row: Environment): Promise<z.input<typeof view>> {
  const claims = await db
    .selectFrom('route_claims')
    .innerJoin('workspaces', 'workspaces.id', 'route_claims.workspace_id')
    .select(['workspaces.name as workspace', 'route_claims.host', 'route_claims.path'])
    .distinct()
    .where('route_claims.environment', '=', row.name)
    .orderBy('workspaces.name')
    .orderBy('route_claims.path')
    .execute()
  const given = new Map(
    [...new Set(claims.map(({ workspace }) => workspace))].map((name) => [name, placesOf(row, name)]),
  )
  const outside = claims.filter(({ workspace, ...place }) => {
    const places = given.get(workspace)
    return places !== undefined && !isWithin(places, place)
  })
  return {
    workspaces: placesByWorkspace.parse(JSON.parse(row.places)),
    outside: outside
      .slice(0, MOST_OUTSIDE)
      .map(({ workspace, ...place }) => ({ workspace, place: toPlaceText(place) })),
  }
}
