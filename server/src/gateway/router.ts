/**
 * Finds the route of a request. Precedence, as a reader of the list of routes expects it: the host first (exact over
 * `*.wildcard` over any), then the path segment by segment from the left (literal over text with parameters, more text
 * over less, over parameter over `/*` prefix, so longer over shorter), then more conditions over fewer. A route whose
 * method or conditions do not fit is passed over and less specific ones are asked; only when a path matched and no method
 * did is the answer 405.
 */
import { RouteTree, Search, type Found, type Routable } from './route-tree.ts'

export class Router<Subject, Route extends Routable<Subject>> {
  private readonly exactHosts = new Map<string, RouteTree<Subject, Route>>()
  private readonly wildcardHosts: { suffix: string; tree: RouteTree<Subject, Route> }[] = []
  private readonly anyHost = new RouteTree<Subject, Route>()

  add(route: Route): void {
    const { hosts } = route.match
    if (hosts.length === 0) this.anyHost.add(route)
    for (const host of hosts) this.treeOf(host).add(route)
  }

  /** The route, or the methods that the path knows (for `Allow`), or undefined when nothing matches. */
  find(subject: Subject, method: string, host: string, path: string): Found<Route> | Set<string> | undefined {
    const search = new Search(subject, method, path)
    const found =
      this.exactHosts.get(host)?.find(search) ?? this.findWildcard(host, search) ?? this.anyHost.find(search)
    return found ?? search.allowed
  }

  private findWildcard(host: string, search: Search<Subject>): Found<Route> | undefined {
    for (const { suffix, tree } of this.wildcardHosts) {
      if (!host.endsWith(suffix) || host.length === suffix.length) continue
      const found = tree.find(search)
      if (found !== undefined) return found
    }
    return undefined
  }

  private treeOf(host: string): RouteTree<Subject, Route> {
    if (!host.startsWith('*.')) {
      const known = this.exactHosts.get(host)
      if (known !== undefined) return known
      const tree = new RouteTree<Subject, Route>()
      this.exactHosts.set(host, tree)
      return tree
    }
    const suffix = host.slice(1)
    const known = this.wildcardHosts.find((each) => each.suffix === suffix)
    if (known !== undefined) return known.tree
    const tree = new RouteTree<Subject, Route>()
    this.wildcardHosts.push({ suffix, tree })
    this.wildcardHosts.sort((a, b) => b.suffix.length - a.suffix.length)
    return tree
  }
}
