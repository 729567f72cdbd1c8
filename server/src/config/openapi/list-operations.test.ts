import { stringify } from 'yaml'
import { describe, expect, test } from 'vitest'
import { compileFiles, findIssues } from '../../../test/test-config.ts'
import { definePolicy } from '../../kernel/policy.ts'
import type { RouteSpec } from '../../kernel/snapshot.ts'
import { z } from 'zod'

/** A policy that works on operations, so that they are resolved. */
const reader = definePolicy({
  kind: 'reads-operations',
  title: 'Reads operations',
  summary: 'Works on the operation of a route.',
  stability: 'preview',
  config: z.strictObject({}),
  examples: [],
  problems: [],
  usesOperation: true,
  setup: () => ({}),
})
const options = { policies: [reader] }

const filesOf = (paths: unknown, components: unknown = {}): Record<string, string> => ({
  'headgate.yaml': `headgate: 1
upstreams: [{ name: u, targets: [{ url: "http://127.0.0.1:9001" }] }]
apis: [{ name: a, upstream: u, spec: spec.json, policies: [{ kind: reads-operations }] }]`,
  'spec.json': stringify({ openapi: '3.1.0', paths, components }, { aliasDuplicateObjects: false }),
})

function compile(paths: unknown, components?: unknown): readonly RouteSpec[] {
  return compileFiles(filesOf(paths, components), options).snapshot.routes
}

const parameter = (place: string, name: string, schema: unknown = {}, required = true): unknown => ({
  in: place,
  name,
  required,
  schema,
})
const only = (value: string): unknown => ({ type: 'string', enum: [value] })

describe('operations of one path', () => {
  test('ask for the header that tells them apart, as AWS writes it', () => {
    const operation = (target: string): unknown => ({ parameters: [parameter('header', 'X-Amz-Target', only(target))] })
    const routes = compile({ '/#X=A': { post: operation('A') }, '/#X=B': { post: operation('B') } })
    expect(routes.map(({ name, match }) => [name, match.path, match.headers])).toEqual([
      ['POST /#X=A', '/', [{ name: 'x-amz-target', value: 'A' }]],
      ['POST /#X=B', '/', [{ name: 'x-amz-target', value: 'B' }]],
    ])
  })

  test('ask for parameters of the query behind references, and of their path', () => {
    const components = {
      parameters: { Action: parameter('query', 'Action', { $ref: '#/components/schemas/Read' }) },
      schemas: { Read: { const: 'Read' } },
    }
    const paths = {
      '/#a': { parameters: [{ $ref: '#/components/parameters/Action' }], get: {} },
      '/#b': { get: { parameters: [parameter('query', 'Action', only('List'))] } },
    }
    expect(compile(paths, components).map(({ match }) => match.query)).toEqual([
      [{ name: 'Action', value: 'Read' }],
      [{ name: 'Action', value: 'List' }],
    ])
  })

  test('ask for what the path writes into its query, and only when they must', () => {
    const paths = {
      '/current?lat={lat}&lon={lon}': { get: { parameters: [parameter('path', 'lat'), parameter('path', 'lon')] } },
      '/current?city={city}': { get: {} },
      '/alone?q={q}': { get: {} },
      '/list?kind=book': { get: {} },
    }
    expect(compile(paths).map(({ match }) => match.query)).toEqual([
      [{ name: 'lat', value: undefined }],
      [{ name: 'lat', value: undefined, absent: true }],
      [],
      [{ name: 'kind', value: 'book' }],
    ])
  })

  test('that nothing tells apart are refused with the pointers of both', () => {
    const paths = { '/{id}': { put: {} }, '/{id}#add': { put: {} } }
    expect(findIssues(filesOf(paths), options)[0]).toContain(
      '#/paths/~1{id}#add/put: a request for PUT /{id} fits the route "PUT /{id}" equally well',
    )
  })
})

describe('parameters', () => {
  const operationsOf = (paths: unknown): unknown[] => compile(paths).map(({ operation }) => operation?.['parameters'])

  test('that the path has in its query are of the query, those that are nowhere are left out', () => {
    const parameters = [parameter('path', 'text'), parameter('path', 'id'), parameter('path', 'lost')]
    expect(operationsOf({ '/{id}?q={text}': { get: { parameters } } })).toEqual([
      [{ ...(parameter('query', 'q') as object) }, parameters[1]],
    ])
  })

  test('with one value only are text of the path when nothing else would part them', () => {
    const parameters = [parameter('path', 'id'), parameter('path', 'ending', only('.json'))]
    const [route] = compile({ '/{id}{ending}': { get: { parameters } } })
    expect(route).toMatchObject({ match: { path: '/{id}.json' }, parameterNames: ['id'] })
    expect(route?.operation?.['parameters']).toEqual([parameters[0]])
  })
})
