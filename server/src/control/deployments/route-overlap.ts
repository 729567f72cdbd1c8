/**
 * Where two tenants' routes could take the same request. The router prefers one to the other by host, path, method and
 * conditions, none of which is anybody's own: whoever is preferred would take the traffic. So between tenants nothing counts
 * but whether some request has a host and a path that fit both.
 */
import { couldSharePath } from '../../config/path-forks.ts'

export interface ClaimedPlace {
  /** `*` for any. */
  readonly host: string
  /** With its parameters made equal. */
  readonly path: string
  /** As `toStem` has it. */
  readonly stem: string
}

/** Slashes of a stem at most, so that long paths make no long lists of what they begin with. */
const STEM_DEPTH = 8

/**
 * The segments before the first one that is not plain text, as far as they count: `/books` of `/books/{}/pages`. Paths that
 * some request fits both have stems of which one begins with the other.
 */
export function toStem(path: string): string {
  const segments = path.split('/')
  const end = segments.findIndex((segment) => segment === '*' || segment.includes('{'))
  return segments.slice(0, Math.min(end === -1 ? segments.length : end, STEM_DEPTH + 1)).join('/')
}

/** The stem and all that it begins with: the empty one, `/books` and `/books/all` of `/books/all`. */
export function startsOf(stem: string): string[] {
  const starts = [stem]
  for (let at = stem.length - 1; at >= 0; at--) if (stem[at] === '/') starts.push(stem.slice(0, at))
  return starts
}

/** Whether paths with longer stems could meet it; a short one of plain text meets none. */
export function isOpen({ path, stem }: ClaimedPlace): boolean {
  return path !== stem
}

/** All hosts of claims that could meet one of these; undefined: they are too many to be named. */
export function hostsToMeet(hosts: Iterable<string>): Set<string> | undefined {
  const all = new Set(['*'])
  for (const host of hosts) {
    if (host.startsWith('*')) return undefined
    all.add(host)
    for (let at = host.indexOf('.'); at !== -1; at = host.indexOf('.', at + 1)) all.add(`*${host.slice(at)}`)
  }
  return all
}

/** Whether some host fits both, as the router has it: `*.example.com` is every name below, however deep. */
export function couldShareHost(left: string, right: string): boolean {
  return coversHost(left, right) || coversHost(right, left)
}

/** Whether the pattern fits every host that the other one fits, `*` being any host. */
export function coversHost(pattern: string, other: string): boolean {
  return pattern === '*' || pattern === other || (pattern.startsWith('*.') && other.endsWith(pattern.slice(1)))
}

/** For people. */
export function toPlaceText({ host, path }: Pick<ClaimedPlace, 'host' | 'path'>): string {
  return host === '*' ? `${path} on any host` : `${host}${path}`
}

/** Finds, for a claim, one of `places` that it could meet, without asking all of them. */
export function createMeetingFinder(
  places: readonly ClaimedPlace[],
): (other: ClaimedPlace) => ClaimedPlace | undefined {
  const withStem = new Map<string, ClaimedPlace[]>()
  const below = new Map<string, ClaimedPlace[]>()
  for (const place of places) {
    for (const start of startsOf(place.stem)) addTo(start === place.stem ? withStem : below, start, place)
  }
  return (other) => {
    const fits = (place: ClaimedPlace): boolean =>
      couldShareHost(place.host, other.host) && couldSharePath(place.path, other.path)
    for (const start of startsOf(other.stem)) {
      const found = withStem.get(start)?.find(fits)
      if (found !== undefined) return found
    }
    return isOpen(other) ? below.get(other.stem)?.find(fits) : undefined
  }
}

function addTo(lists: Map<string, ClaimedPlace[]>, stem: string, place: ClaimedPlace): void {
  const list = lists.get(stem)
  if (list === undefined) lists.set(stem, [place])
  else list.push(place)
}
