import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { compileFiles, findIssues } from '../../test/test-config.ts'
import { definePolicy, type PolicyDefinition } from '../kernel/policy.ts'

const facts = { title: 'A test', summary: 'For a test.', stability: 'preview', examples: [], problems: [] } as const
const empty = z.strictObject({})
const setup = (): object => ({})

const authenticate = definePolicy({
  ...facts,
  kind: 'authenticate',
  config: empty,
  gives: ['principal'],
  usesKeys: true,
  setup,
})
const authorise = definePolicy({ ...facts, kind: 'authorise', config: empty, needs: ['principal'], setup })
const answer = definePolicy({ ...facts, kind: 'answer', config: empty, answersAlways: true, setup })
const operation = definePolicy({ ...facts, kind: 'operation', config: empty, usesOperation: true, setup })
const countBy = z.strictObject({ by: z.enum(['principal', 'ip']), cost: z.string().optional() })
const limit = definePolicy({
  ...facts,
  kind: 'limit',
  config: countBy,
  capabilities: ({ by }) => ({ needs: by === 'principal' ? ['principal'] : [], gives: [] }),
  check({ cost }, check) {
    if (cost !== undefined) check.expression(['cost'], cost, 'int')
    if (check.routes.length > 1) check.report(['by'], `stands for ${check.routes.length} routes.`)
  },
  setup,
})
const several = definePolicy({
  ...facts,
  kind: 'several',
  config: z.strictObject({ of: z.array(z.strictObject({ kind: z.string(), config: z.unknown().optional() })) }),
  gives: ['principal'],
  check({ of }, check) {
    of.forEach((each, index) => check.nested(['of', index], each.kind, each.config))
  },
  setup,
})
const policies: readonly PolicyDefinition[] = [authenticate, authorise, answer, operation, limit, several]

interface Lists {
  readonly global?: string
  readonly api?: string
  readonly route?: string
  readonly more?: string
  readonly upstream?: string
}

const text = ({ global = '', api = '', route = '', more = '', upstream = 'upstream: u' }: Lists): string => `headgate: 1
upstreams: [{ name: u, targets: [{ url: "http://a" }] }]
policies: [${global}]
apis:
  - name: a
    policies: [${api}]
    routes:
      - { name: one, ${upstream}, match: { path: /one }, policies: [${route}] }
  - { name: b, basePath: /b, upstream: u, routes: [{ name: two, match: { path: /two } }] }
${more}`

const find = (lists: Lists): string[] => findIssues({ 'a.yaml': text(lists) }, { policies })
const keyOf = (issue: string | undefined): string | undefined => issue?.split(' ')[1]?.replace(/:$/, '')

describe('what a policy needs', () => {
  test('is given by an entry before it, in its own list or one around it', () => {
    expect(find({ global: '{ kind: authenticate }', route: '{ kind: authorise }' })).toEqual([])
    expect(find({ api: '{ kind: authenticate }, { kind: authorise }' })).toEqual([])
  })

  test.each([
    [{ api: '{ kind: authorise }, { kind: authenticate }' }, 'apis[0].policies[0]'],
    [{ global: '{ kind: authorise }', api: '{ kind: authenticate }' }, 'policies[0]'],
    [{ route: '{ kind: authorise }' }, 'apis[0].routes[0].policies[0]'],
    [{ route: '{ kind: limit, config: { by: principal } }' }, 'apis[0].routes[0].policies[0]'],
    [{ api: '{ kind: authenticate, enabled: false }', route: '{ kind: authorise }' }, 'apis[0].routes[0].policies[0]'],
  ])('is missing in %j', (lists, key) => {
    const issues = find(lists)
    expect(issues.map(keyOf)).toEqual([key])
    expect(issues[0]).toContain('needs a principal, which no policy before it gives')
    expect(issues[0]).toContain('`authenticate`, `several`')
  })

  test('is there for plans and consumers, which are known by their principal', () => {
    const more = `products: [{ name: p, apis: [a], plans: [{ name: free, policies: [{ kind: authorise }] }] }]
consumers: [{ name: c, policies: [{ kind: limit, config: { by: principal } }] }]`
    const issues = find({ global: '{ kind: authenticate }', more })
    // The limit stands for both routes, which its own check reports.
    expect(issues.map(keyOf)).toEqual(['consumers[0].policies[0].config.by'])
  })
})

describe('a list of a plan or consumer', () => {
  test('has no policy that works on operations', () => {
    const more = `products: [{ name: p, apis: [b], access: open, plans: [{ name: free, policies: [{ kind: operation }] }] }]
consumers: [{ name: c, policies: [{ kind: operation }] }]`
    const issues = find({ more })
    expect(issues.map(keyOf)).toEqual(['products[0].plans[0].policies[0]', 'consumers[0].policies[0]'])
    expect(issues[0]).toContain('operation works on the operation of a route, which a plan does not have')
  })
})

describe('an API for subscribers', () => {
  const toMore = (access: string): string => `products: [{ name: p, apis: [a], ${access}plans: [{ name: free }] }]`

  test('asks who calls, on every route that its upstream answers', () => {
    expect(find({ api: '{ kind: authenticate }', more: toMore('') })).toEqual([])
    expect(find({ route: '{ kind: answer }', upstream: 'preserveHost: false', more: toMore('') })).toEqual([])
    expect(find({ more: toMore('access: open, ') })).toEqual([])
    const issues = find({ more: toMore('') })
    expect(issues.map(keyOf)).toEqual(['apis[0]'])
    expect(issues[0]).toContain('only subscribers of p may call the API, but its route one asks nobody who they are')
  })
})

describe('a policy that answers everything', () => {
  test('makes an upstream needless', () => {
    expect(find({ route: '{ kind: answer }', upstream: 'preserveHost: false' })).toEqual([])
    expect(find({ route: '{ kind: answer, when: "true" }', upstream: 'preserveHost: false' })[0]).toContain(
      'has no upstream',
    )
  })

  test('makes what stands after it unreachable', () => {
    const issues = find({ api: '{ kind: answer }', route: '{ kind: operation }', upstream: 'preserveHost: false' })
    expect(issues[0]).toContain('operation is never reached: answer before it answers every request')
    expect(find({ api: '{ kind: answer, when: "true" }, { kind: authenticate }' })).toEqual([])
  })
})

test('a policy that works on operations is refused where no route has one', () => {
  expect(find({ api: '{ kind: operation }' })[0]).toContain(
    'operation has no effect: no route here has an OpenAPI operation',
  )
})

describe('the check of a policy', () => {
  test('knows the routes that the entry applies to', () => {
    expect(find({ route: '{ kind: limit, config: { by: ip } }' })).toEqual([])
    expect(find({ global: '{ kind: limit, config: { by: ip } }' })).toEqual([
      'a.yaml:3:41: policies[0].config.by: stands for 2 routes.',
    ])
  })

  test('has its expressions compiled', () => {
    expect(find({ route: '{ kind: limit, config: { by: ip, cost: "request.path" } }' })[0]).toContain(
      'config.cost: the expression is wrong: The value is string instead of int',
    )
  })

  test('reaches entries inside its configuration, which count as being there', () => {
    const keys = 'consumers: [{ name: c, keys: [{ value: k }] }]'
    expect(find({ global: '{ kind: several, config: { of: [{ kind: authenticate }] } }', more: keys })).toEqual([])
    expect(find({ global: '{ kind: several, config: { of: [{ kind: authenticat }] } }' })[0]).toContain(
      'policies[0].config.of[0]: there is no policy of kind "authenticat". Did you mean `authenticate`?',
    )
    const wrong = find({ global: '{ kind: several, config: { of: [{ kind: limit, config: { by: me } }] } }' })
    expect(wrong).toEqual(['a.yaml:3:73: policies[0].config.of[0].config.by: must be `principal` or `ip`.'])
  })
})

test('keys of consumers are refused when no policy asks for one', () => {
  const issues = find({ more: 'consumers: [{ name: c, keys: [{ value: k }] }]' })
  expect(issues[0]).toContain('consumers[0].keys: keys have no effect: no policy asks for one. Add a policy that asks')
})

describe('entries', () => {
  test('that are off are checked but left out', () => {
    const { snapshot } = compileFiles(
      { 'a.yaml': text({ api: '{ kind: authenticate, enabled: false }, { kind: authenticate }' }) },
      { policies },
    )
    expect(snapshot.apis[0]?.policies.map(({ id }) => id)).toEqual(['apis/a/1.0.0/policies/1'])
    expect(find({ api: '{ kind: authenticate, enabled: false, config: { no: 1 } }' })).toHaveLength(1)
  })

  test('have the id that they are given, which must be the only one', () => {
    const issues = find({ api: '{ kind: authenticate, id: policies/0 }', global: '{ kind: authenticate }' })
    expect(issues[0]).toContain(
      'apis[0].policies[0].id: another policy has the same id (the other one stands at a.yaml:3:12)',
    )
  })
})
