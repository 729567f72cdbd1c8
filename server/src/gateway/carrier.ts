/**
 * What carries an exchange: an HTTP/1.1 connection or an HTTP/2 stream. The pipeline answers through it and is told
 * through `Passage` when the client left or the answer ended; neither side knows more of the other.
 */
import type { Body } from '../kernel/body.ts'
import type { Exchange, Peer } from '../kernel/exchange.ts'
import type { Fields } from '../kernel/fields.ts'
import type { Problem } from '../kernel/problem.ts'
import type { BodyRoom } from './body-room.ts'
import type { CompiledRoute, Runtime } from './runtime.ts'
import type { TrustedProxies } from './client-address.ts'
import type { ListenerLimits } from '../kernel/snapshot.ts'

export interface Carrier {
  /** Sends an interim answer (1xx). */
  inform(status: number, fields: Fields): void
  /** Sends the final answer, `own` after `fields`; `Passage.ended` follows exactly once, whatever happens. */
  answer(status: number, fields: Fields, own: Fields, body: Body): void
  /** Breaks off without an answer; `Passage.ended` follows as well. */
  reset(): void
}

/** An exchange on its way through the gateway, as the carrier sees it. */
export interface Passage {
  /** The client went away before the answer was whole. The carrier is no longer there to answer. */
  clientLeft(): void
  /** The answer is handed over whole, or broke off because its source failed. */
  ended(responseBytes: number, cause: Error | undefined): void
  /** Told a few times a second, so that waiting for an upstream has an end without a timer for each exchange. */
  tick(nowMs: number): void
}

/** The gateway, as a carrier sees it. */
export interface Gateway {
  readonly limits: ListenerLimits
  readonly halfClose: 'abort' | 'answer'
  /** Where what is held of bodies is counted. */
  readonly bodyRoom: BodyRoom
  /** Proxies whose word about their clients counts. */
  readonly trusted: TrustedProxies
  /** True while the process drains: connections are told to go. */
  readonly draining: boolean
  nextId(): string
  /** Takes an exchange on; the answer comes through the carrier, during this call or later. */
  begin(exchange: Exchange, carrier: Carrier): Passage
  /** Answers what could not be read as a request; leaves a record like every exchange. */
  refuse(problem: Problem, peer: Peer, carrier: Carrier, version?: '1.1' | '2'): Passage
}

/** What the walk needs of the thread around it. */
export interface WalkHost {
  readonly runtime: Runtime
  readonly bodyRoom: BodyRoom
  /** Writes the record of an exchange that is over; `status` is what the client was sent. */
  finished(exchange: Exchange, route: CompiledRoute | undefined, status: number, endedMs: number): void
  /** Logs what was thrown: a fault of ours. */
  faulted(exchange: Exchange, cause: unknown): void
}
