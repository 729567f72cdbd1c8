/** Path items, operations and responses of Swagger 2.0 in the terms of OpenAPI 3.0. */
import { isTree, listOf, mapValues, omit, pick, textsOf, toTree, type Tree } from '../json-tree.ts'
import { toBody, toForm, toHeader, toParameter } from './to-parameter.ts'
import { toReference, toSchema } from './to-schema.ts'

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

/** What operations take from the document around them. */
export interface Defaults {
  readonly consumes: readonly string[]
  readonly produces: readonly string[]
  /** The document's own parameters and responses, by name. */
  readonly parameters: Tree
  readonly toServers: (schemes: readonly string[]) => readonly Tree[]
}

export function toPathItem(item: unknown, defaults: Defaults): unknown {
  if (!isTree(item)) return item
  // Bodies belong to operations in 3.0, so those of the path go to each of them.
  const shared = listOf(item['parameters'])
  const bodies = shared.filter((each) => isBodyPart(followParameter(each, defaults)))
  const others = shared.filter((each) => !bodies.includes(each))
  const parameters = others.length === 0 ? {} : { parameters: others.map((each) => toListed(each)) }
  const operations = pick(item, METHODS)
  return {
    ...omit(item, ['parameters', ...METHODS]),
    ...parameters,
    ...mapValues(operations, (operation) => toOperation(operation, bodies, defaults)),
  }
}

export function toResponse(response: unknown, produces: readonly string[]): unknown {
  if (!isTree(response)) return response
  if (typeof response['$ref'] === 'string') return { $ref: toReference(response['$ref']) }
  const { schema, headers, examples, ...rest } = response
  const content = toContent(schema, toTree(examples), produces)
  return {
    description: '',
    ...rest,
    ...(isTree(headers) ? { headers: mapValues(headers, toHeader) } : {}),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  }
}

function toOperation(operation: unknown, shared: readonly unknown[], defaults: Defaults): unknown {
  if (!isTree(operation)) return operation
  const consumes = Array.isArray(operation['consumes']) ? textsOf(operation['consumes']) : defaults.consumes
  const produces = Array.isArray(operation['produces']) ? textsOf(operation['produces']) : defaults.produces
  const own = listOf(operation['parameters'])
  const bodies = own.map((each) => followParameter(each, defaults)).filter(isBodyPart)
  const inherited = shared.map((each) => followParameter(each, defaults)).filter(isTree)
  const requestBody = toRequestBody(bodies.length > 0 ? bodies : inherited, consumes)
  const others = own.filter((each) => !isBodyPart(followParameter(each, defaults)))
  const schemes = textsOf(operation['schemes'])
  const responses = operation['responses']
  return {
    ...omit(operation, ['consumes', 'produces', 'schemes', 'parameters']),
    ...(own.length === 0 ? {} : { parameters: others.map((each) => toListed(each)) }),
    ...(requestBody === undefined ? {} : { requestBody }),
    ...(isTree(responses) ? { responses: toResponses(responses, produces) } : {}),
    ...(schemes.length === 0 ? {} : { servers: defaults.toServers(schemes) }),
  }
}

function toResponses(responses: Tree, produces: readonly string[]): Tree {
  return mapValues(responses, (each, key) => (key.startsWith('x-') ? each : toResponse(each, produces)))
}

function toRequestBody(parts: readonly Tree[], consumes: readonly string[]): Tree | undefined {
  const body = parts.find((each) => each['in'] === 'body')
  if (body !== undefined) return toBody(body, consumes)
  return parts.length === 0 ? undefined : toForm(parts, consumes)
}

/** What a reference to one of the document's own parameters leads to; others are no bodies as far as is known here. */
function followParameter(parameter: unknown, { parameters }: Defaults): unknown {
  const reference = toTree(parameter)['$ref']
  if (typeof reference !== 'string') return parameter
  const name = /^#\/parameters\/([^/]+)$/.exec(reference)?.[1]
  return name === undefined ? parameter : parameters[decodeName(name)]
}

function decodeName(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

function isBodyPart(parameter: unknown): parameter is Tree {
  return isTree(parameter) && (parameter['in'] === 'body' || parameter['in'] === 'formData')
}

function toListed(parameter: unknown): unknown {
  if (!isTree(parameter)) return parameter
  const reference = parameter['$ref']
  return typeof reference === 'string' ? { $ref: toReference(reference) } : toParameter(parameter)
}

function toContent(schema: unknown, examples: Tree, produces: readonly string[]): Tree {
  const described = schema === undefined ? [] : produces.length === 0 ? ['application/json'] : produces
  const types = [...new Set([...described, ...Object.keys(examples)])]
  const shape = schema === undefined ? {} : { schema: toSchema(schema) }
  return Object.fromEntries(
    types.map((type) => [type, Object.hasOwn(examples, type) ? { ...shape, example: examples[type] } : shape]),
  )
}
