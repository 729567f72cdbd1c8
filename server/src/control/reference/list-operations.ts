/** The operations of an OpenAPI document of ours, as the reference page and the reference in the docs show them. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { listFields, typeOf, type SchemaField } from './schema-fields.ts'

export interface ReferenceOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly permission: string
  readonly parameters: readonly SchemaField[]
  readonly bodyFields: readonly SchemaField[]
  readonly answerStatus: string
  readonly answerFields: readonly SchemaField[]
}

export interface ReferenceGroup {
  readonly tag: string
  readonly operations: readonly ReferenceOperation[]
}

/** Groups in the order of their names, operations in that of the list of operations. */
export function groupOperations(document: JsonObject): ReferenceGroup[] {
  const operations = entriesOf(document['paths']).flatMap(([path, methods]) =>
    entriesOf(methods).map(([method, operation]) => toOperation(method.toUpperCase(), path, operation)),
  )
  const groups = Map.groupBy(operations, ({ tag }) => tag)
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([tag, list]) => ({ tag, operations: list }))
}

function toOperation(method: string, path: string, operation: JsonObject): ReferenceOperation {
  const [answer] = entriesOf(operation['responses'])
  const { tags, parameters } = operation
  return {
    id: textOf(operation['operationId']),
    method,
    path,
    tag: Array.isArray(tags) ? textOf(tags[0]) : '',
    summary: textOf(operation['summary']),
    permission: textOf(operation['x-permission']),
    parameters: Array.isArray(parameters) ? parameters.filter(isJsonObject).map(toParameter) : [],
    bodyFields: fieldsOf(operation['requestBody']),
    answerStatus: answer?.[0] ?? '',
    answerFields: answer === undefined ? [] : fieldsOf(answer[1]),
  }
}

function toParameter(parameter: JsonObject): SchemaField {
  const schema = isJsonObject(parameter['schema']) ? parameter['schema'] : {}
  const words = textOf(parameter['description']) || textOf(schema['description'])
  return {
    path: textOf(parameter['name']),
    type: `${textOf(parameter['in'])}, ${typeOf(schema)}`,
    isRequired: parameter['required'] === true,
    description: words,
  }
}

function fieldsOf(body: JsonValue | undefined): SchemaField[] {
  const [content] = isJsonObject(body) ? entriesOf(body['content']) : []
  const schema = content?.[1]['schema']
  return isJsonObject(schema) ? listFields(schema) : []
}

function entriesOf(value: JsonValue | undefined): [string, JsonObject][] {
  return Object.entries(isJsonObject(value) ? value : {}).filter((entry): entry is [string, JsonObject] =>
    isJsonObject(entry[1]),
  )
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
