/** Who calls versions that go: counted where they are announced as deprecated, so that all others pay nothing. */

export interface Callers {
  /** One request of a consumer for a version; an empty name is nobody that is known. */
  called(api: string, apiVersion: string, consumer: string): void
}

/** Requests since the last time this was told. */
export interface CallerCount {
  readonly api: string
  readonly apiVersion: string
  readonly consumer: string
  readonly requests: number
}

/** Consumers beyond what is told apart; no name has a star. */
export const OTHER_CALLERS = '*'
