/**
 * Where workspaces may publish in an environment: hosts, with a base path or without. A workspace that has no such bounds
 * publishes wherever no other one does, so it could take a place, or all of them with `/*`, before its owner comes to it.
 */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { checkRoutePath, toMatchedPath } from '../../config/route-path.ts'
import { host } from '../../config/schema/quantities.ts'
import { defineProblem } from '../../kernel/problem.ts'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { coversHost, toPlaceText } from '../deployments/route-overlap.ts'
import { readEnvironment, type Environment } from './read-environment.ts'

export const outsidePlaces = defineProblem({
  code: 'deployment.outside_places',
  status: 403,
  title: 'The workspace may not publish there',
  blame: 'caller',
  remedy: 'Publish on a host and path that the workspace was given, or ask whoever runs the environment for this one.',
})

/** Stands for all workspaces that are not named. */
export const OTHERS = '*'

// By workspace, as they are written: `api.example.com`, `*.example.com/books`, or `*/books` for a path on any host.
export const placesByWorkspace = z.record(z.string().max(200), z.array(z.string().min(1).max(2000)).max(200))

export interface Place {
  /** `*` for any. */
  readonly host: string
  /** Empty for all; else it and all that lies below it. */
  readonly path: string
}

/** A place as it is written, or what is wrong with it. */
export function parsePlace(text: string): Place | string {
  const slash = text.indexOf('/')
  const name = slash === -1 ? text : text.slice(0, slash)
  const path = slash === -1 ? '' : text.slice(slash).replace(/\/$/, '')
  if (name !== '*' && !host.safeParse(name).success)
    return 'begins with no host such as api.example.com, *.example.com or *'
  if (/[{*]/.test(path)) return 'has a path of more than text; all below a path belongs to it anyway'
  const matched = checkRoutePath(path) ?? toMatchedPath(path, 'refuse')
  return typeof matched === 'string' ? { host: name.toLowerCase(), path: matched } : matched.message
}

/** Where the workspace may publish; undefined: anywhere. */
export function placesOf({ places }: Pick<Environment, 'places'>, workspace: string): readonly Place[] | undefined {
  const given = new Map(Object.entries(placesByWorkspace.parse(JSON.parse(places))))
  const own = given.get(workspace) ?? given.get(OTHERS)
  return own?.map(parsePlace).filter((place) => typeof place !== 'string')
}

/** Whether all requests that fit `wanted` lie within one of the places. */
export function isWithin(places: readonly Place[], wanted: Place): boolean {
  return places.some(({ host: pattern, path }) => {
    const isBelow = path === '' || wanted.path === path || wanted.path.startsWith(`${path}/`)
    return isBelow && coversHost(pattern, wanted.host)
  })
}

/** Refuses routes outside of what the workspace was given. */
export async function checkPlaces(
  db: Kysely<Tables>,
  {
    workspace,
    environment,
    compiled,
  }: { readonly workspace: WorkspaceRef; readonly environment: string; readonly compiled: SnapshotContent },
): Promise<void> {
  const own = placesOf(await readEnvironment(db, environment), workspace.name)
  if (own === undefined) return
  for (const { name, match } of compiled.routes) {
    for (const each of match.hosts.length === 0 ? ['*'] : match.hosts) {
      const wanted = { host: each, path: match.path }
      if (isWithin(own, wanted)) continue
      const given = own.map(({ host: pattern, path }) => `${pattern}${path}`).join(', ') || 'no place'
      refuse(
        outsidePlaces({
          detail: `The route ${name} is ${toPlaceText(wanted)}; in ${environment} the workspace has ${given}.`,
        }),
      )
    }
  }
}
