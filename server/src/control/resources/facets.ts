/**
 * What lists are filtered by: labels and a few facts of a document, kept beside it as lines of text. One column serves
 * every noun and both stores, and a filter is an exact line, not a part of one.
 */
import { sql, type RawBuilder } from 'kysely'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'

/** Facts that can be asked for by their own name. */
const FACTS = ['owner', 'team', 'visibility'] as const

const MOST_LABELS = 20

export interface FacetQuery {
  readonly label?: string | undefined
  readonly owner?: string | undefined
  readonly team?: string | undefined
  readonly visibility?: string | undefined
}

/** The column of a row with this document. */
export function toFacets(document: JsonObject): string {
  const { labels } = document
  const ofLabels = isJsonObject(labels)
    ? Object.entries(labels).flatMap(([key, value]) => [
        toLine('label', key),
        ...(typeof value === 'string' ? [toLine('label', `${key}:${value}`)] : []),
      ])
    : []
  const ofFacts = FACTS.flatMap((fact) => {
    const value = document[fact]
    return typeof value === 'string' ? [toLine(fact, value)] : []
  })
  const lines = [...ofLabels, ...ofFacts]
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`
}

/** A condition for each thing that is asked for; all of them must hold. */
export function toFacetConditions(query: FacetQuery): RawBuilder<boolean>[] {
  const lines = [
    ...toLabels(query.label).map((label) => toLine('label', label)),
    ...FACTS.flatMap((fact) => (query[fact] === undefined ? [] : [toLine(fact, query[fact])])),
  ]
  // What loses something when the line is taken out of it has the line. To `LIKE` some characters mean others.
  return lines.map((line) => sql<boolean>`facets <> replace(facets, ${`\n${line}\n`}, '')`)
}

/** `team:payments,tier` is two labels: one with a value, one with any. */
function toLabels(text: string | undefined): string[] {
  if (text === undefined) return []
  const labels = text.split(',').map((each) => each.trim())
  if (labels.includes('') || labels.length > MOST_LABELS) {
    const detail = `1 to ${MOST_LABELS} labels such as team:payments, with commas between them`
    refuse(invalid({ detail, errors: [{ pointer: 'query label', detail }] }))
  }
  return labels
}

/** JSON writes no line break as itself, so that no value can be taken for two lines. */
function toLine(facet: string, value: string): string {
  return `${facet} ${JSON.stringify(value)}`
}
