/** An operation of an OpenAPI document, as far as routing needs it; the rest is resolved when a policy asks for it. */
import type { JsonObject } from '../../kernel/json.ts'
import type { Place } from '../issues.ts'
import type { Conditions } from './tell-apart.ts'

export interface Operation {
  /** Its `operationId`, or `METHOD path`. */
  readonly name: string
  readonly method: string
  /** The path of its route: as the document writes it, without query and fragment. */
  readonly path: string
  /** What a request has to carry so that it is meant for this operation and no other of the same method and path. */
  readonly conditions: Conditions
  /** Where it stands in its file, such as `#/paths/~1books/get`. */
  readonly pointer: string
  /** Where it stands; only looked up for messages, which costs a second reading of a large document. */
  place(): Place
  /** The operation with its references resolved; undefined after a report that it cannot be. */
  resolve(): JsonObject | undefined
  /** The schemas that references of resolved operations of its document lead to; undefined after a report. */
  shared(): JsonObject | undefined
}
