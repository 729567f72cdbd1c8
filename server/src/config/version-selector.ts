/** What tells the versions of an API apart, as parts of the matches of their routes. */
import { toMediaVersion } from '../kernel/accept-version.ts'
import type { FieldMatch, RouteMatch } from '../kernel/snapshot.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import type { ApiSettings } from './schema/api.ts'

export interface VersionSelector {
  /** What follows the base path; empty for none. */
  readonly path: string
  readonly headers: readonly FieldMatch[]
  readonly query: readonly FieldMatch[]
  /** The same routes are served without the version in their path as well. */
  readonly alsoUnversionedPath: boolean
  /** The field of the request that caches must tell answers apart by. */
  readonly varyField: string | undefined
}

const nothing: VersionSelector = { path: '', headers: [], query: [], alsoUnversionedPath: false, varyField: undefined }

export function toVersionSelector(api: ApiSettings): VersionSelector {
  const { selector, version } = api
  if (selector === undefined) return nothing
  const { by, name = '', value = version, default: isDefault } = selector
  const orAbsent = isDefault ? { orAbsent: true as const } : {}
  if (by === 'path') return { ...nothing, path: `/${value}`, alsoUnversionedPath: isDefault }
  if (by === 'query') return { ...nothing, query: [{ name, value, ...orAbsent }] }
  if (by === 'header') {
    return { ...nothing, headers: [{ name: name.toLowerCase(), value, ...orAbsent }], varyField: name.toLowerCase() }
  }
  const field = { name: 'accept', value: toMediaVersion(value), vendor: name, ...orAbsent }
  return { ...nothing, headers: [field], varyField: 'accept' }
}

/** A header or parameter needs its name, and a path has none. */
export function checkSelector({ selector }: ApiSettings, apiPath: KeyPath, findings: Findings): void {
  if (selector === undefined) return
  const path = [...apiPath, 'selector']
  const { by, name } = selector
  if (by === 'path' && name !== undefined) {
    findings.report([...path, 'name'], 'a selector by path has no name', { hint: 'Remove it.' })
  }
  if ((by === 'header' || by === 'query') && name === undefined) {
    const what = by === 'header' ? 'header' : 'parameter'
    findings.report(path, `the selector does not name its ${what}`, { hint: 'Add `name`.' })
  }
}

/** The match of the same route where no version is in the path. */
export function withoutVersionPath(match: RouteMatch, versionPath: string): RouteMatch {
  const basePath = match.basePath.slice(0, -versionPath.length)
  return { ...match, basePath, path: basePath + match.path.slice(match.basePath.length) }
}
