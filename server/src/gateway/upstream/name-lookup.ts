/**
 * Asks for the addresses and SRV records of names. Addresses come from getaddrinfo, which honours the hosts file and
 * the order that the system prefers (RFC 6724); it holds a thread of Node's pool while it waits, so only few run at once.
 */
import { lookup as getAddressInfo, Resolver } from 'node:dns/promises'

export interface Address {
  readonly address: string
  readonly family: number
}

export interface ServiceRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

export interface NameLookup {
  /** All addresses of a name, the preferred one first. Rejects when there is none. */
  addresses(name: string): Promise<readonly Address[]>
  /** The SRV records of a name. Rejects when there is none. */
  services(name: string): Promise<readonly ServiceRecord[]>
}

/** Half of Node's pool of four threads: files and crypto must not wait for a DNS server that does not answer. */
const MAX_LOOKUPS = 2

/** A lookup that takes longer counts as failed. */
const LOOKUP_MS = 5_000

/** `resolve`, `servers` (`address:port`) and `timeoutMs` are for tests; the system's are used without. */
export interface NameLookupOptions {
  readonly resolve?: (name: string) => Promise<readonly Address[]>
  readonly servers?: readonly string[]
  readonly timeoutMs?: number
}

export function createNameLookup(options: NameLookupOptions = {}): NameLookup {
  const timeoutMs = options.timeoutMs ?? LOOKUP_MS
  const resolve = options.resolve ?? ((name: string) => getAddressInfo(name, { all: true, order: 'verbatim' }))
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 })
  if (options.servers !== undefined) resolver.setServers(options.servers)
  const underWay = new Map<string, Promise<readonly Address[]>>()
  const waiting: (() => void)[] = []
  let running = 0

  async function run(name: string): Promise<readonly Address[]> {
    if (running >= MAX_LOOKUPS) await new Promise<void>((start) => waiting.push(start))
    running++
    const lookup = resolve(name)
    // The place is free when the thread is, which may be long after the wait was given up.
    const free = (): void => {
      running--
      waiting.shift()?.()
    }
    lookup.then(free, free)
    return withinTime(lookup, timeoutMs, name)
  }

  return {
    addresses(name) {
      let lookup = underWay.get(name)
      if (lookup === undefined) {
        lookup = run(name).finally(() => underWay.delete(name))
        underWay.set(name, lookup)
      }
      return lookup
    },
    services: (name) => withinTime(resolver.resolveSrv(name), 2 * timeoutMs, name),
  }
}

function withinTime<Answer>(answer: Promise<Answer>, timeoutMs: number, name: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer for ${name} in ${timeoutMs} ms`)), timeoutMs)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
