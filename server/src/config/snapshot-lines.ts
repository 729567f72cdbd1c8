/** A snapshot as lines of JSON under keys, one for each part: so that a change of one part moves and compiles one line. */
import type { ApiSpec, RouteSpec, SnapshotContent } from '../kernel/snapshot.ts'
import type { SnapshotLines } from '../kernel/snapshot-delivery.ts'
import { SnapshotTree, type SnapshotLine } from '../kernel/snapshot-tree.ts'

type NamedParts = Pick<SnapshotContent, 'upstreams' | 'apis' | 'routes' | 'products' | 'consumers'>

/** The key of the line with what belongs to the gateway as a whole. */
export const HEADER_KEY = 'header'

/** What belongs to the gateway as a whole. */
export type SnapshotHeader = Pick<SnapshotContent, 'listener' | 'policies'>

export function toHeaderLine({ listener, policies }: SnapshotHeader): string {
  return JSON.stringify({ listener, policies })
}

/** The lines of everything that has a name of its own. */
export function toLines({ upstreams, apis, routes, products, consumers }: NamedParts): SnapshotLine[] {
  return [
    ...upstreams.map((each) => toLine(`upstreams/${each.name}`, each)),
    ...apis.map((each) => toLine(`apis/${toApiKey(each.name, each.version, besideOf(each))}`, each)),
    ...routes.map((each) => toLine(toRouteKey(each), each)),
    ...products.map((each) => toLine(`products/${toOwnName(each)}`, each)),
    ...consumers.map((each) => toLine(`consumers/${toOwnName(each)}`, each)),
  ]
}

/** All lines of a snapshot. */
export function toAllLines(content: SnapshotContent): SnapshotLine[] {
  return [{ key: HEADER_KEY, line: toHeaderLine(content) }, ...toLines(content)]
}

/** A snapshot as what a gateway is given of it; its version is the root of the tree of its lines. */
export function toSnapshotLines(content: SnapshotContent): SnapshotLines {
  const tree = new SnapshotTree()
  tree.apply({ removed: [], lines: toAllLines(content) })
  return { version: tree.root(), lines: tree.toMap() }
}

/** What a version's api and routes stand under; those of a revision beside another name its deployment. */
export function toApiKey(api: string, version: string, beside: string | undefined): string {
  return beside === undefined ? `${api}/${version}` : `${api}/${version}~${beside}`
}

function besideOf({ release }: ApiSpec): string | undefined {
  return release?.isBeside === true ? release.deployment : undefined
}

function toRouteKey({ id, api, apiVersion, beside }: RouteSpec): string {
  return `routes/${toApiKey(api, apiVersion, beside)}${id.slice(toApiKey(api, apiVersion, undefined).length)}`
}

/** Names are unique in their workspace only. No name begins with `@`. */
function toOwnName({ workspace, name }: { readonly workspace?: string; readonly name: string }): string {
  return workspace === undefined ? name : `@${workspace}/${name}`
}

function toLine(key: string, part: unknown): SnapshotLine {
  return { key, line: JSON.stringify(part) }
}
