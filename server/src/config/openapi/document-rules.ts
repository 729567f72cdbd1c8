/**
 * What an OpenAPI document has to keep so that its operations become routes, and what is done where it does not: refused
 * with pointer and remedy, mended, or only said. The reference page is made from this list.
 */
import type { KeyPath, Place } from '../issues.ts'

export interface DocumentRule {
  readonly id: string
  readonly title: string
  readonly outcome: 'refused' | 'mended' | 'noted'
  /** How an author mends it, or what was done. */
  readonly remedy: string
}

/** A rule that a document breaks, and where. */
export interface Breach {
  readonly rule: DocumentRule
  readonly pointer: KeyPath
  readonly message: string
  /** Instead of the rule's own. */
  readonly remedy?: string | undefined
  /** The other place that it contradicts. */
  readonly other?: { readonly pointer: KeyPath; readonly place: () => Place }
}

export const routingRules = {
  version: {
    id: 'document.version',
    title: 'The document says which version of OpenAPI it is',
    outcome: 'refused',
    remedy: 'Known: 3.0, 3.1 and Swagger 2.0.',
  },
  pathStart: {
    id: 'path.start',
    title: 'A path begins with a slash',
    outcome: 'refused',
    remedy: 'Write it with one.',
  },
  pathTemplate: {
    id: 'path.template',
    title: 'A path is text with `{parameters}` that are apart from each other',
    outcome: 'refused',
    remedy: 'Write {name} for a segment or a part of one.',
  },
  pathKeys: {
    id: 'path.keys',
    title: 'Beside the methods of a path stand only keys that OpenAPI knows',
    outcome: 'refused',
    remedy: 'Mend the spelling, or begin the key with `x-`.',
  },
  pathReference: {
    id: 'path.reference',
    title: 'References of a path lead to one',
    outcome: 'refused',
    remedy: 'Mend the reference.',
  },
  reference: {
    id: 'operation.reference',
    title: 'References of an operation lead to what they need',
    outcome: 'refused',
    remedy: 'Mend the reference.',
  },
  operationId: {
    id: 'operation.id',
    title: 'An `operationId` names one operation only',
    outcome: 'refused',
    remedy: 'An `operationId` names one operation only.',
  },
} satisfies Record<string, DocumentRule>
