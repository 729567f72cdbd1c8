/** A resource as the admin API shows it: its document and the facts about it. Secrets are references. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import type { AuditNote } from '../define-route.ts'
import type { Control } from '../control.ts'
import type { CollectionDefinition } from './define-collection.ts'
import type { Resource } from './resource-store.ts'

export const resourceFacts = {
  id: z.string(),
  environment: z.string().meta({ description: 'The one environment that it is for; empty for all.' }),
  source: z.string().meta({ description: 'The source that manages it as code; empty when people do.' }),
  revision: z.int().meta({ description: 'Grows with every change; the number in the ETag.' }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  updatedBy: z.string(),
}

export const resourceView = z.looseObject({
  ...resourceFacts,
  spec: z.looseObject({ name: z.string() }),
  status: z.looseObject({}).optional().meta({ description: 'What follows from the document and the time.' }),
})

export type ResourceView = z.input<typeof resourceView>

/** `collection` says what there is to tell beyond the document, such as when a certificate ends. */
export function toResourceView(
  row: Resource,
  collection?: Pick<CollectionDefinition, 'describe'>,
  control?: Control,
): ResourceView {
  const { id, environment, source, version } = row
  const document = documentOf(row)
  return {
    id,
    environment,
    source,
    revision: version,
    createdAt: toTime(row.created_at_ms),
    updatedAt: toTime(row.updated_at_ms),
    updatedBy: row.updated_by,
    spec: { name: row.name, ...document },
    ...(control === undefined || collection?.describe === undefined
      ? {}
      : { status: collection.describe(document, control) }),
  }
}

/** The document of a resource, as it was written. */
export function documentOf({ spec, id }: Pick<Resource, 'spec' | 'id'>): JsonObject {
  const document: unknown = JSON.parse(spec)
  if (isJsonObject(document)) return document
  throw new TypeError(`the document of ${id} is no object`)
}

export function toResourceNote(before: Resource | undefined, after: Resource | undefined): AuditNote {
  const row = after ?? before
  if (row === undefined) throw new TypeError('a change of nothing')
  return {
    kind: row.kind,
    id: row.id,
    name: row.name,
    before: before === undefined ? undefined : documentOf(before),
    after: after === undefined ? undefined : documentOf(after),
  }
}

export function toTime(ms: number): string {
  return new Date(ms).toISOString()
}
