/**
 * Swagger 2.0 to OpenAPI 3.0. What is of a wrong type goes through as it is, so that whoever reads the result says where it
 * stands; pointers into `paths` are the same before and after.
 */
import { isTree, mapValues, omit, textsOf, toTree, type Tree } from '../json-tree.ts'
import { toPathItem, toResponse, type Defaults } from './to-operation.ts'
import { toBody, toParameter } from './to-parameter.ts'
import { toSchema } from './to-schema.ts'

/** Keys of 2.0 that become something else; all others are the same in 3.0. */
const CONVERTED = `swagger host basePath schemes consumes produces paths definitions parameters responses
  securityDefinitions`.split(/\s+/)

const FLOWS: Readonly<Record<string, string>> = {
  application: 'clientCredentials',
  accessCode: 'authorizationCode',
  implicit: 'implicit',
  password: 'password',
}

export function upgradeSwagger(document: Tree): Tree {
  const toServers = (schemes: readonly string[]): Tree[] => listServers(document, schemes)
  const parameters = toTree(document['parameters'])
  const produces = textsOf(document['produces'])
  const defaults: Defaults = { consumes: textsOf(document['consumes']), produces, parameters, toServers }
  const servers = toServers(textsOf(document['schemes']))
  const { paths } = document
  return {
    openapi: '3.0.3',
    ...omit(document, CONVERTED),
    ...(servers.length === 0 ? {} : { servers }),
    paths: isTree(paths)
      ? mapValues(paths, (item, path) => (path.startsWith('x-') ? item : toPathItem(item, defaults)))
      : paths,
    components: toComponents(document, defaults),
  }
}

/** Without a scheme, the one that the document itself was fetched by (Swagger 2.0, `schemes`), which `//` says. */
function listServers({ host, basePath }: Tree, schemes: readonly string[]): Tree[] {
  const path = typeof basePath === 'string' ? basePath.replace(/\/$/, '') : ''
  if (typeof host !== 'string' || host === '') return path === '' ? [] : [{ url: path }]
  const starts = schemes.filter((scheme) => !scheme.startsWith('ws')).map((scheme) => `${scheme}:`)
  return (starts.length === 0 ? [''] : starts).map((start) => ({ url: `${start}//${host}${path}` }))
}

function toComponents(document: Tree, { parameters, consumes, produces }: Defaults): Tree {
  const isBody = ([, each]: [string, unknown]): boolean => toTree(each)['in'] === 'body'
  const isForm = ([, each]: [string, unknown]): boolean => toTree(each)['in'] === 'formData'
  const all = Object.entries(parameters)
  const bodies = all.filter(isBody).map(([name, each]) => [name, toBody(toTree(each), consumes)] as const)
  const others = all.filter((each) => !isBody(each) && !isForm(each))
  const sections: Tree = {
    schemas: mapValues(toTree(document['definitions']), toSchema),
    parameters: Object.fromEntries(others.map(([name, each]) => [name, isTree(each) ? toParameter(each) : each])),
    requestBodies: Object.fromEntries(bodies),
    responses: mapValues(toTree(document['responses']), (each) => toResponse(each, produces)),
    securitySchemes: mapValues(toTree(document['securityDefinitions']), toSecurityScheme),
  }
  return Object.fromEntries(Object.entries(sections).filter(([, section]) => Object.keys(toTree(section)).length > 0))
}

function toSecurityScheme(scheme: unknown): unknown {
  if (!isTree(scheme)) return scheme
  if (scheme['type'] === 'basic') return { ...omit(scheme, ['type']), type: 'http', scheme: 'basic' }
  const flow = typeof scheme['flow'] === 'string' ? FLOWS[scheme['flow']] : undefined
  if (scheme['type'] !== 'oauth2' || flow === undefined) return scheme
  const { authorizationUrl, tokenUrl, scopes = {}, flow: _, ...rest } = scheme
  const urls = {
    ...(authorizationUrl === undefined ? {} : { authorizationUrl }),
    ...(tokenUrl === undefined ? {} : { tokenUrl }),
  }
  return { ...rest, flows: { [flow]: { ...urls, scopes } } }
}
