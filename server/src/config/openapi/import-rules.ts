/** Rules of importing a document besides those of routing: what it may cost to read, where it may lead, what is mended. */
import type { DocumentRule } from './document-rules.ts'

export const textRules = {
  size: {
    id: 'text.size',
    title: 'Files stay within their bounds',
    outcome: 'refused',
    remedy: 'Divide the document, or write it as JSON without spaces.',
  },
  encoding: {
    id: 'text.encoding',
    title: 'Files are UTF-8 text',
    outcome: 'refused',
    remedy: 'Save it as UTF-8.',
  },
  syntax: {
    id: 'text.syntax',
    title: 'Files are JSON or YAML',
    outcome: 'refused',
    remedy: 'Mend what stands there.',
  },
  keys: {
    id: 'text.keys',
    title: 'A key is text and stands once in its map',
    outcome: 'refused',
    remedy: 'Remove one of the two.',
  },
  aliases: {
    id: 'text.aliases',
    title: 'Aliases of YAML repeat something, and not without bounds',
    outcome: 'refused',
    remedy: 'Write a `$ref` instead of the alias.',
  },
  nesting: {
    id: 'text.nesting',
    title: 'Values nest no deeper than 100 levels',
    outcome: 'refused',
    remedy: 'Move inner parts to `components` and refer to them.',
  },
} satisfies Record<string, DocumentRule>

export const referenceRules = {
  elsewhere: {
    id: 'reference.elsewhere',
    title: 'References stay on the host, or below the folder, that the document comes from',
    outcome: 'refused',
    remedy: 'Put a copy beside the document, or allow the host.',
  },
  address: {
    id: 'reference.address',
    title: 'Nothing is fetched from private, loopback or link-local addresses',
    outcome: 'refused',
    remedy: 'Upload the document instead, or let an operator allow private addresses.',
  },
  unavailable: {
    id: 'reference.unavailable',
    title: 'Files that are referred to can be had',
    outcome: 'refused',
    remedy: 'Mend the reference, or try again.',
  },
  bounds: {
    id: 'reference.bounds',
    title: 'Files that are referred to are few, small and soon there',
    outcome: 'refused',
    remedy: 'Bundle the document into one file.',
  },
  dangling: {
    id: 'reference.dangling',
    title: 'References inside the document lead to something',
    outcome: 'noted',
    remedy: 'Mend the reference: policies that need this part of the document refuse it.',
  },
} satisfies Record<string, DocumentRule>

export const operationRules = {
  none: {
    id: 'document.operations',
    title: 'The document has operations',
    outcome: 'refused',
    remedy: 'Add a path with a method. A document of webhooks alone describes no requests that come through a gateway.',
  },
  ambiguous: {
    id: 'path.ambiguous',
    title: 'Every request fits one operation best',
    outcome: 'refused',
    remedy: 'Leave one out, or let one require a parameter that the other does not have.',
  },
  unmatched: {
    id: 'path.unmatched',
    title: 'A path is one that a request can have',
    outcome: 'refused',
    remedy: 'Requests with such a path are refused, so the route would never match.',
  },
  idRenamed: {
    id: 'operation.id-repeated',
    title: 'An `operationId` that stands twice is renamed',
    outcome: 'mended',
    remedy: 'Give it a name of its own.',
  },
  idRemoved: {
    id: 'operation.id-form',
    title: 'An `operationId` that is no short text is left out',
    outcome: 'mended',
    remedy: 'Write a short text without control characters.',
  },
  keyRemoved: {
    id: 'path.key-unknown',
    title: 'Keys of a path that OpenAPI does not know are left out, unless they look like a method',
    outcome: 'mended',
    remedy: 'Begin the key with `x-`, or remove it.',
  },
} satisfies Record<string, DocumentRule>
