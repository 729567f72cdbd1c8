/** Rules about operations, their parameters, answers and security. */
import { isTree, listOf, textsOf, toTree } from '../../config/openapi/json-tree.ts'
import { defineLintRule, type LintRule } from './lint-rule.ts'
import type { LintOperation } from './lint-view.ts'

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== ''
const title = ({ method, path }: LintOperation): string => `${method.toUpperCase()} ${path}`

export const operationRules: readonly LintRule[] = [
  defineLintRule({
    id: 'operation-id',
    severity: 'warning',
    title: 'Every operation has an `operationId`.',
    remedy: 'Give it a name: routes, clients and documentation use it.',
    whole({ operations }, tell) {
      for (const each of operations)
        if (!isText(each.value['operationId'])) tell(each.at, `${title(each)} has no operationId`)
    },
  }),
  defineLintRule({
    id: 'operation-id-unique',
    severity: 'error',
    title: 'An `operationId` names one operation only.',
    remedy: 'Rename one of the two.',
    whole({ operations }, tell) {
      const known = new Map<unknown, LintOperation>()
      for (const each of operations) {
        const id = each.value['operationId']
        const other = known.get(id)
        if (isText(id) && other !== undefined)
          tell([...each.at, 'operationId'], `${title(other)} has the same operationId`)
        else known.set(id, each)
      }
    },
  }),
  defineLintRule({
    id: 'operation-id-form',
    severity: 'info',
    title: 'An `operationId` can be a name in programs.',
    remedy: 'Use letters, digits, dots, dashes and underscores.',
    whole({ operations }, tell) {
      for (const { value, at } of operations) {
        const id = value['operationId']
        if (typeof id === 'string' && id !== '' && !/^[A-Za-z_][\w.-]*$/.test(id))
          tell([...at, 'operationId'], `${JSON.stringify(id)} is no name`)
      }
    },
  }),
  defineLintRule({
    id: 'operation-described',
    severity: 'warning',
    title: 'Every operation has a summary or description.',
    remedy: 'Say in a sentence what it does.',
    whole({ operations }, tell) {
      for (const each of operations) {
        if (!isText(each.value['summary']) && !isText(each.value['description']))
          tell(each.at, `${title(each)} is not described`)
      }
    },
  }),
  defineLintRule({
    id: 'operation-tags',
    severity: 'hint',
    title: 'Every operation has a tag.',
    remedy: 'Add `tags`: documentation is ordered by them.',
    whole({ operations }, tell) {
      for (const each of operations)
        if (listOf(each.value['tags']).length === 0) tell(each.at, `${title(each)} has no tag`)
    },
  }),
  defineLintRule({
    id: 'operation-success',
    severity: 'warning',
    title: 'Every operation describes an answer of success.',
    remedy: 'Add an answer with a status from 200 to 399, or `default`.',
    whole({ operations }, tell) {
      for (const each of operations) {
        const statuses = Object.keys(toTree(each.value['responses']))
        if (!statuses.some((status) => /^[123]|^default$/.test(status)))
          tell([...each.at, 'responses'], `${title(each)} describes no success`)
      }
    },
  }),
  defineLintRule({
    id: 'operation-failure',
    severity: 'info',
    title: 'Every operation describes an answer of failure.',
    remedy: 'Add an answer with a status from 400, or `default`.',
    whole({ operations }, tell) {
      for (const each of operations) {
        const statuses = Object.keys(toTree(each.value['responses']))
        if (!statuses.some((status) => /^[45]|^default$/.test(status)))
          tell([...each.at, 'responses'], `${title(each)} describes no failure`)
      }
    },
  }),
  defineLintRule({
    id: 'operation-body',
    severity: 'warning',
    title: 'GET, HEAD and DELETE have no body.',
    remedy: 'Send it as parameters, or use POST (RFC 9110 §9.3).',
    whole({ operations }, tell) {
      for (const each of operations) {
        const hasBody = each.value['requestBody'] !== undefined
        if (hasBody && ['get', 'head', 'delete'].includes(each.method))
          tell([...each.at, 'requestBody'], `${title(each)} has a body`)
      }
    },
  }),
  defineLintRule({
    id: 'parameter-unique',
    severity: 'error',
    title: 'A list has a parameter of one place and name only once.',
    remedy: 'Remove one of the two.',
    whole({ operations }, tell) {
      for (const { at, parameters } of operations) {
        const known = new Set<string>()
        for (const { value, at: place } of parameters) {
          const key = `${String(value['in'])} ${String(value['name'])}`
          // Those of the path may be replaced by the operation's own.
          if (place.length !== at.length + 2) continue
          if (known.has(key)) tell(place, `the parameter ${key} stands twice`)
          known.add(key)
        }
      }
    },
  }),
  defineLintRule({
    id: 'credentials-in-query',
    severity: 'warning',
    title: 'No credentials are sent in the query, where logs and histories keep them.',
    remedy: 'Send them in a header.',
    parts: {
      parameter(value, path, tell) {
        const isSecret = /^(?:api[_-]?key|access[_-]?token|token|password|passwd|secret|client[_-]?secret)$/i.test(
          String(value['name']),
        )
        if (value['in'] === 'query' && isSecret)
          tell([...path, 'name'], `the parameter ${String(value['name'])} is in the query`)
      },
      securityScheme(value, path, tell) {
        if (value['type'] === 'apiKey' && value['in'] === 'query') tell([...path, 'in'], 'the key is in the query')
      },
    },
  }),
  defineLintRule({
    id: 'security-defined',
    severity: 'error',
    title: 'Security requirements name schemes that are defined.',
    remedy: 'Define the scheme in `components.securitySchemes`.',
    whole({ document, operations }, tell) {
      const schemes = toTree(toTree(document['components'])['securitySchemes'])
      const check = (security: unknown, at: readonly (string | number)[]): void => {
        for (const [index, way] of listOf(security).entries()) {
          for (const name of Object.keys(toTree(way))) {
            if (!Object.hasOwn(schemes, name))
              tell([...at, 'security', index, name], `the scheme ${name} is not defined`)
          }
        }
      }
      check(document['security'], [])
      for (const { value, at } of operations) check(value['security'], at)
    },
  }),
  defineLintRule({
    id: 'security-present',
    severity: 'warning',
    title: 'Operations that change something say how callers authenticate.',
    remedy: 'Add `security`, or `security: []` when everybody may.',
    whole({ document, operations }, tell) {
      if (document['security'] !== undefined) return
      for (const each of operations) {
        const changes = ['put', 'post', 'patch', 'delete'].includes(each.method)
        if (changes && each.value['security'] === undefined) tell(each.at, `${title(each)} says nothing about security`)
      }
    },
  }),
  defineLintRule({
    id: 'response-described',
    severity: 'error',
    title: 'Every answer has a description.',
    remedy: 'Add `description`.',
    parts: {
      response(value, path, tell) {
        if (typeof value['description'] !== 'string') tell(path, 'the answer has no description')
      },
    },
  }),
  defineLintRule({
    id: 'response-schema',
    severity: 'hint',
    title: 'JSON answers have a schema.',
    remedy: 'Add `schema` to the media type.',
    parts: {
      response(value, path, tell) {
        for (const [type, media] of Object.entries(toTree(value['content']))) {
          const isJson = /[/+]json\b/i.test(type)
          if (isJson && isTree(media) && media['schema'] === undefined)
            tell([...path, 'content', type], `${type} has no schema`)
        }
      },
    },
  }),
  defineLintRule({
    id: 'parameter-schema',
    severity: 'error',
    title: 'A parameter has a schema or a content.',
    remedy: 'Add `schema`.',
    parts: {
      parameter(value, path, tell) {
        const isSwagger = value['type'] !== undefined || value['in'] === 'body'
        if (value['schema'] === undefined && value['content'] === undefined && !isSwagger)
          tell(path, 'the parameter has no schema')
      },
    },
  }),
  defineLintRule({
    id: 'parameter-described',
    severity: 'hint',
    title: 'Parameters are described.',
    remedy: 'Add `description`.',
    parts: {
      parameter(value, path, tell) {
        if (!isText(value['description'])) tell(path, `the parameter ${String(value['name'])} is not described`)
      },
    },
  }),
  defineLintRule({
    id: 'security-scopes',
    severity: 'error',
    title: 'Scopes that operations ask for are listed by a flow of their scheme.',
    remedy: 'List the scope, or mend its spelling.',
    whole({ document, operations }, tell) {
      const schemes = toTree(toTree(document['components'])['securitySchemes'])
      for (const { value, at } of operations) {
        for (const [index, way] of listOf(value['security']).entries()) {
          for (const [name, scopes] of Object.entries(toTree(way))) {
            const scheme = toTree(schemes[name])
            if (scheme['type'] !== 'oauth2') continue
            const known = new Set(
              Object.values(toTree(scheme['flows'])).flatMap((flow) => Object.keys(toTree(toTree(flow)['scopes']))),
            )
            for (const scope of textsOf(scopes))
              if (!known.has(scope)) tell([...at, 'security', index, name], `the scope ${scope} is not listed`)
          }
        }
      }
    },
  }),
]
