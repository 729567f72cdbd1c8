/**
 * The key set that an issuer publishes: fetched when it is first needed, kept as long as its answer allows, fetched anew
 * for a token with an unknown key. Whatever callers send, there is one fetch at a time and a pause between two; when the
 * issuer cannot be reached, keys count a bounded time longer, and then nobody is let in.
 */
import type { JWTVerifyGetKey } from 'jose'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import { keySet, type JwtConfig } from './jwt-config.ts'
import type { FoundKey, KeyHint, KeySource } from './key-source.ts'
import { jose } from './jose.ts'

type Settings = Pick<JwtConfig, 'refetchSeconds' | 'staleSeconds'>
type Services = Pick<PolicyServices, 'clock' | 'log' | 'fetchDocument'>

const FETCH_LIMITS = { maxBytes: 512 * 1024, timeoutMs: 5000 }
const DEFAULT_MAX_AGE_SECONDS = 600
const HIGHEST_MAX_AGE_SECONDS = 86_400
/** From this share of their time on, keys are renewed behind the requests, so that none has to wait. */
const RENEWAL = 0.8
const FIRST_RETRY_MS = 1000

/** Key sets outlive a reload: a new snapshot must not need the issuer to be reachable at that moment. */
const known = new WeakMap<PolicyServices['fetchDocument'], Map<string, RemoteKeySet>>()

/** The key set of an address, the same for every entry and snapshot with the same settings. */
export function remoteKeySetOf(url: string, { refetchSeconds, staleSeconds }: Settings, services: Services): KeySource {
  const sets = known.get(services.fetchDocument) ?? new Map<string, RemoteKeySet>()
  known.set(services.fetchDocument, sets)
  const name = JSON.stringify([url, refetchSeconds, staleSeconds])
  const found = sets.get(name) ?? new RemoteKeySet(url, { refetchSeconds, staleSeconds }, services)
  sets.set(name, found)
  return found
}

interface Keys {
  readonly resolve: JWTVerifyGetKey
  readonly kids: ReadonlySet<string>
  readonly text: string
  readonly fetchedMs: number
  readonly maxAgeMs: number
}

class RemoteKeySet implements KeySource {
  version = 0
  private readonly url: string
  private readonly settings: Settings
  private readonly services: Services
  private keys: Keys | undefined = undefined
  private inFlight: Promise<void> | undefined = undefined
  private attemptedMs = -Infinity
  private failures = 0

  constructor(url: string, settings: Settings, services: Services) {
    this.url = url
    this.settings = settings
    this.services = services
  }

  find({ kid }: KeyHint): FoundKey | Promise<FoundKey> {
    const age = this.age()
    if (age === 'ripe') void this.renew(this.retryMs())
    if (age === 'old' || age === 'gone') {
      const renewal = this.renew(this.retryMs())
      if (renewal !== undefined) return renewal.then(() => this.choose(kid))
    }
    if (this.lacks(kid)) {
      const renewal = this.renew(this.settings.refetchSeconds * 1000)
      if (renewal !== undefined) return renewal.then(() => this.choose(kid))
    }
    return this.choose(kid)
  }

  private choose(kid: string | undefined): FoundKey {
    if (this.keys === undefined || this.age() === 'gone') return 'unavailable'
    return this.lacks(kid) ? 'unknown' : this.keys.resolve
  }

  private lacks(kid: string | undefined): boolean {
    return kid !== undefined && this.keys !== undefined && !this.keys.kids.has(kid)
  }

  private age(): 'fresh' | 'ripe' | 'old' | 'gone' {
    if (this.keys === undefined) return 'gone'
    const ageMs = this.services.clock.monotonicMs() - this.keys.fetchedMs
    const { maxAgeMs } = this.keys
    if (ageMs < maxAgeMs * RENEWAL) return 'fresh'
    if (ageMs < maxAgeMs) return 'ripe'
    return ageMs < maxAgeMs + this.settings.staleSeconds * 1000 ? 'old' : 'gone'
  }

  /** Twice as long after every failure, but never longer than the pause between fetches. */
  private retryMs(): number {
    if (this.failures === 0) return 0
    return Math.min(FIRST_RETRY_MS * 2 ** (this.failures - 1), this.settings.refetchSeconds * 1000)
  }

  /**
   * Joins the fetch that is under way, or starts one when the last began at least `pauseMs` ago; undefined when it is too
   * early for another. Never rejects.
   */
  private renew(pauseMs: number): Promise<void> | undefined {
    if (this.inFlight !== undefined) return this.inFlight
    const nowMs = this.services.clock.monotonicMs()
    if (nowMs - this.attemptedMs < pauseMs) return undefined
    this.attemptedMs = nowMs
    this.inFlight = this.fetch().then(
      () => this.ended(0),
      (cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause)
        this.services.log.warn(
          { url: this.url, reason, keys: this.age() },
          'The key set of an issuer could not be fetched.',
        )
        this.ended(this.failures + 1)
      },
    )
    return this.inFlight
  }

  private ended(failures: number): void {
    this.inFlight = undefined
    this.failures = failures
  }

  private async fetch(): Promise<void> {
    const {
      status,
      text,
      maxAgeSeconds = DEFAULT_MAX_AGE_SECONDS,
    } = await this.services.fetchDocument(this.url, FETCH_LIMITS)
    if (status !== 200) throw new Error(`status ${status}`)
    const fetchedMs = this.services.clock.monotonicMs()
    const maxAgeMs = Math.min(Math.max(maxAgeSeconds, this.settings.refetchSeconds), HIGHEST_MAX_AGE_SECONDS) * 1000
    if (text === this.keys?.text) {
      this.keys = { ...this.keys, fetchedMs, maxAgeMs }
      return
    }
    const document = keySet.parse(JSON.parse(text))
    const kids = new Set(document.keys.flatMap(({ kid }) => kid ?? []))
    this.keys = { resolve: jose().createLocalJWKSet(document), kids, text, fetchedMs, maxAgeMs }
    this.version++
  }
}
