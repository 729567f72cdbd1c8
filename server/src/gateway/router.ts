/**
 * Finds the route of a request. Precedence, as a reader of the list of routes expects it: the host first (exact over
 * `*.wildcard` over any), then the path segment by segment from the left (literal over text with parameters, more text
 * over less, over parameter over `/*` prefix, so longer over shorter), then more conditions over fewer. A route whose
 * method or conditions do not fit is passed over and less specific ones are asked; only when a path matched and no method
 * did is the answer 405.
 */
import { RouteTree, Search, type Found, type Routable } from './route-tree.ts'

export class Router<Subject, Route extends Routable<Subject>> {
  private exactHosts = new Map<string, RouteTree<Subject, Route>>()
  private wildcardHosts: { readonly suffix: string; readonly tree: RouteTree<Subject, Route> }[] = []
  private anyHost = new RouteTree<Subject, Route>()
  /** Trees that another router may find routes in: copied before they are changed. It keeps none of them in memory. */
  private readonly borrowed = new WeakSet<RouteTree<Subject, Route>>()

  /** Another router with the same routes: changing it does not change this one, which must stay as it is. */
  copy(): Router<Subject, Route> {
    const copy = new Router<Subject, Route>()
    copy.exactHosts = new Map(this.exactHosts)
    copy.wildcardHosts = this.wildcardHosts.slice()
    copy.anyHost = this.anyHost
    for (const tree of this.trees()) copy.borrowed.add(tree)
    return copy
  }

  add(route: Route): void {
    const { hosts } = route.match
    if (hosts.length === 0) this.treeOf(undefined).add(route)
    for (const host of hosts) this.treeOf(host).add(route)
  }

  /** Takes a route out that was added. */
  remove(route: Route): void {
    const { hosts } = route.match
    if (hosts.length === 0) this.treeOf(undefined).remove(route)
    for (const host of hosts) {
      const tree = this.treeOf(host)
      tree.remove(route)
      if (tree.paths === 0) this.replace(host, undefined)
    }
  }

  /** Builds trees anew that hold more paths without a route than with one. */
  async compact(pause: () => Promise<void>): Promise<void> {
    const hosts = [undefined, ...this.exactHosts.keys(), ...this.wildcardHosts.map(({ suffix }) => `*${suffix}`)]
    for (const host of hosts) {
      const tree = this.known(host)
      if (tree === undefined || tree.emptyPaths <= tree.paths) continue
      const fresh = new RouteTree<Subject, Route>()
      for (const route of tree.routes()) {
        fresh.add(route)
        await pause()
      }
      this.replace(host, fresh)
    }
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

  /** The tree of a host, or of any for undefined, to be changed. */
  private treeOf(host: string | undefined): RouteTree<Subject, Route> {
    const known = this.known(host)
    if (known !== undefined && !this.borrowed.has(known)) return known
    const tree = known?.copy() ?? new RouteTree<Subject, Route>()
    this.replace(host, tree)
    return tree
  }

  private known(host: string | undefined): RouteTree<Subject, Route> | undefined {
    if (host === undefined) return this.anyHost
    if (!host.startsWith('*.')) return this.exactHosts.get(host)
    return this.wildcardHosts.find(({ suffix }) => suffix === host.slice(1))?.tree
  }

  private replace(host: string | undefined, tree: RouteTree<Subject, Route> | undefined): void {
    if (host === undefined) this.anyHost = tree ?? new RouteTree()
    else if (!host.startsWith('*.')) {
      if (tree === undefined) this.exactHosts.delete(host)
      else this.exactHosts.set(host, tree)
    } else {
      const suffix = host.slice(1)
      const others = this.wildcardHosts.filter((each) => each.suffix !== suffix)
      // The longest first.
      if (tree !== undefined) others.push({ suffix, tree })
      this.wildcardHosts = others.sort((a, b) => b.suffix.length - a.suffix.length)
    }
  }

  private *trees(): Generator<RouteTree<Subject, Route>> {
    yield this.anyHost
    yield* this.exactHosts.values()
    for (const { tree } of this.wildcardHosts) yield tree
  }
}
