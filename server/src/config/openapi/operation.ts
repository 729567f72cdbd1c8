/** An operation of an OpenAPI document, as far as routing needs it; the rest is resolved when a policy asks for it. */
import type { JsonObject } from '../../kernel/json.ts'
import type { Place } from '../issues.ts'

export interface Operation {
  /** Its `operationId`, or `METHOD path`. */
  readonly name: string
  readonly method: string
  readonly path: string
  /** Where it stands; only looked up for messages, which costs a second reading of a large document. */
  place(): Place
  /** The operation with its references resolved; undefined after a report that it cannot be. */
  resolve(): JsonObject | undefined
}
