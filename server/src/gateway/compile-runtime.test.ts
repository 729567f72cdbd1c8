import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileWhole, emptySnapshot, testCompiler, type Probe } from '../../test/compiled-snapshot.ts'
import { compileFiles } from '../../test/test-config.ts'
import { toSnapshotLines } from '../config/snapshot-lines.ts'
import { toKeyHash } from '../kernel/consumers.ts'
import type { PolicySpec, RouteSpec, SnapshotContent } from '../kernel/snapshot.ts'
import { deliverChange, deliverWhole, type SnapshotLines } from '../kernel/snapshot-delivery.ts'

const document = `
headgate: 1
upstreams: [{ name: one, targets: [{ url: 'http://127.0.0.1:1' }] }]
apis: [{ name: a, version: '1', basePath: /, upstream: one, routes: [{ name: r, match: { path: / } }] }]
`
const plain = compileFiles({ 'a.yaml': document }).snapshot
const [plainUpstream] = plain.upstreams
const [plainRoute] = plain.routes
if (plainUpstream === undefined || plainRoute === undefined) throw new Error('the document has one of each')
const base = { upstream: plainUpstream, route: plainRoute }

const policy = (id: string, mark: number): PolicySpec => ({ id, kind: 'probe', when: undefined, config: { mark } })

const mark = fc.nat({ max: 2 })
/** Things under a few names, each there or not and with a mark by which its states differ. */
const some = <Name extends string>(...names: Name[]) => fc.dictionary(fc.constantFrom(...names), mark)

const content = fc
  .record({
    general: mark,
    upstreams: some('one', 'two'),
    apis: some('a', 'b'),
    routes: some('a 0', 'a 1', 'a 2', 'b 0', 'b 1'),
    consumers: some('x', 'y', 'z'),
    products: some('gold'),
  })
  .map(toContent)

interface Marks {
  readonly general: number
  readonly upstreams: Readonly<Record<string, number>>
  readonly apis: Readonly<Record<string, number>>
  readonly routes: Readonly<Record<string, number>>
  readonly consumers: Readonly<Record<string, number>>
  readonly products: Readonly<Record<string, number>>
}

const each = <Made>(marks: Readonly<Record<string, number>>, make: (name: string, of: number) => Made): Made[] =>
  Object.entries(marks).map(([name, of]) => make(name, of))

function toContent({ general, upstreams, apis, routes, consumers, products }: Marks): SnapshotContent {
  return {
    ...emptySnapshot,
    policies: general === 0 ? [] : [policy('general', general)],
    upstreams: each(upstreams, (name, of) => {
      const [target] = base.upstream.targets
      return {
        ...base.upstream,
        name,
        targets: target === undefined ? [] : [{ ...target, url: `http://127.0.0.1:${of + 1}` }],
      }
    }),
    apis: each(apis, (name, of) => ({ name, version: '1', policies: [policy(`apis/${name}`, of)] })),
    routes: each(routes, toRoute),
    products: each(products, (name, of) => ({
      name,
      apis: of === 0 ? ['a'] : ['a', 'b'],
      access: of === 1 ? 'open' : 'subscription',
      plans: [{ name: 'standard', policies: [policy(`products/${name}`, of)] }],
    })),
    consumers: each(consumers, (name, of) => ({
      name,
      labels: {},
      roles: [],
      scopes: [],
      // A key moves from one to another as marks change.
      keys: [{ name: 'key', hash: toKeyHash(`key-${(of + name.charCodeAt(0)) % 3}`), expiresAtMs: undefined }],
      policies: of === 1 ? [policy(`consumers/${name}`, of)] : [],
      subscriptions: of === 0 ? [] : [{ product: 'gold', plan: 'standard' }],
    })),
  }
}

function toRoute(name: string, of: number): RouteSpec {
  const [api = '', number = ''] = name.split(' ')
  const path = [`/${api}/${number}`, `/${api}/${number}/{id}`, `/${api}/${number}/*`][of] ?? ''
  return {
    ...base.route,
    id: `${api}/1/${number}`,
    name: number,
    api,
    apiVersion: '1',
    match: { ...base.route.match, path, methods: ['GET'] },
    upstream: number === '0' ? 'one' : 'two',
    policies: number === '1' ? [policy(`routes/${name}`, of)] : [],
  }
}

const probes: readonly Probe[] = ['a/0', 'a/1', 'a/2', 'b/0', 'b/1'].flatMap((path) =>
  ['', '/7', '/7/8'].flatMap((rest) =>
    ['key-0', 'key-1', 'key-2'].map((key) => ({ method: 'GET', host: 'any.test', path: `/${path}${rest}`, key })),
  ),
)

/** Keys that two consumers have are refused where configuration is checked. */
function hasRivals({ consumers }: SnapshotContent): boolean {
  const hashes = consumers.flatMap(({ keys }) => keys.map(({ hash }) => hash))
  return new Set(hashes).size < hashes.length
}

test('changes one after the other make the same runtime as everything at once', async () => {
  const history = fc.array(
    content.filter((each) => !hasRivals(each)),
    { minLength: 2, maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(history, async (contents) => {
      const changed = testCompiler()
      let before: SnapshotLines | undefined
      for (const next of contents) {
        const lines = toSnapshotLines(next)
        await changed.compiler.prepare(
          await (before === undefined ? deliverWhole(lines) : deliverChange(before, lines)),
        )
        const runtime = changed.compiler.commit() ?? expect.fail('nothing was prepared')
        before = lines
        const fresh = testCompiler()
        const whole = await compileWhole(fresh, lines)
        expect(runtime.version).toBe(whole.version)
        for (const probe of probes) expect(changed.describe(runtime, probe)).toBe(fresh.describe(whole, probe))
      }
    }),
    { numRuns: 150 },
  )
})

const marks: Marks = {
  general: 1,
  upstreams: { one: 0, two: 0 },
  apis: { a: 0, b: 0 },
  routes: { 'a 0': 0, 'a 1': 0, 'b 0': 0, 'b 1': 0 },
  consumers: { x: 1 },
  products: { gold: 1 },
}
const first = toSnapshotLines(toContent(marks))

test('only what changed is set up again', async () => {
  const { compiler, setUp } = testCompiler()
  await compiler.prepare(await deliverWhole(first))
  compiler.commit()
  const count = setUp.length
  const second = toSnapshotLines(
    toContent({ ...marks, routes: { ...marks.routes, 'a 1': 2 }, upstreams: { one: 1, two: 0 } }),
  )
  await compiler.prepare(await deliverChange(first, second))
  compiler.commit()
  expect(setUp.slice(count)).toEqual(['routes/a 1'])
})

test('everything sent again sets up nothing that is there', async () => {
  const { compiler, setUp } = testCompiler()
  await compiler.prepare(await deliverWhole(first))
  compiler.commit()
  const count = setUp.length
  await compiler.prepare(await deliverWhole(first))
  expect(compiler.commit()?.version).toBe(first.version)
  expect(setUp).toHaveLength(count)
})

test('a runtime goes on as it was while others follow it', async () => {
  const test = testCompiler()
  const runtime = await compileWhole(test, first)
  const probe = { method: 'GET', host: 'any.test', path: '/a/1', key: 'key-0' }
  const before = test.describe(runtime, probe)
  const second = toSnapshotLines(
    toContent({ ...marks, routes: { 'b 0': 1 }, upstreams: { one: 2, two: 0 }, apis: {}, products: {} }),
  )
  await test.compiler.prepare(await deliverChange(first, second))
  expect(test.describe(runtime, probe)).toBe(before)
  test.compiler.commit()
  expect(test.describe(runtime, probe)).toBe(before)
})

test('whoever comes by a key of the running snapshot has the policies of that snapshot, in an older runtime too', async () => {
  const test = testCompiler()
  const runtime = await compileWhole(test, toSnapshotLines(toContent({ ...marks, consumers: {} })))
  expect(runtime.principalSegment('x', 'a')).toBeUndefined()
  await compileWhole(test, first)
  expect(runtime.principalSegment('x', 'a')?.entries.map(({ id }) => id)).toEqual(['products/gold', 'consumers/x'])
})

test('joined lists of callers are kept while they fit, and made again after that', async () => {
  const runtime = await compileWhole(testCompiler(), first)
  const joined = runtime.principalSegment('x', 'a')
  for (let at = 1; at < 50_000; at++) runtime.principalSegment('x', `a-${at}`)
  expect(runtime.principalSegment('x', 'a')).toBe(joined)
  runtime.principalSegment('x', 'one-more')
  expect(runtime.principalSegment('x', 'a')).not.toBe(joined)
  expect(runtime.principalSegment('x', 'a')).toEqual(joined)
})

test('what does not compile changes nothing, and the next change is taken as if it had not been', async () => {
  const test = testCompiler()
  const runtime = await compileWhole(test, first)
  const probe = { method: 'GET', host: 'any.test', path: '/a/0', key: 'key-0' }
  const before = test.describe(runtime, probe)
  const broken = toContent({ ...marks, routes: { ...marks.routes, 'a 0': 2 }, upstreams: { one: 2, two: 2 } })
  const general = [{ ...policy('general', 1), config: { broken: true } }]
  await expect(
    test.compiler.prepare(await deliverChange(first, toSnapshotLines({ ...broken, policies: general }))),
  ).rejects.toThrow('general is broken')
  expect(test.compiler.commit()).toBeUndefined()
  expect(test.describe(runtime, probe)).toBe(before)
  const third = toSnapshotLines(toContent({ ...marks, routes: { ...marks.routes, 'a 0': 1 } }))
  await test.compiler.prepare(await deliverChange(first, third))
  const next = test.compiler.commit() ?? expect.fail('the change can be taken')
  const fresh = testCompiler()
  const whole = await compileWhole(fresh, third)
  for (const each of probes) expect(test.describe(next, each)).toBe(fresh.describe(whole, each))
})

test('lines that are not what the version stands for are refused', async () => {
  const { compiler } = testCompiler()
  await compiler.prepare(await deliverWhole(first))
  compiler.commit()
  const other = toSnapshotLines(toContent({ ...marks, general: 2 }))
  const forged = { version: other.version, lines: new Map([...other.lines, ['routes/a/1/0', '{}']]) }
  await expect(compiler.prepare(await deliverChange(first, forged))).rejects.toThrow('do not have the hash')
  // A change that begins at something else than what is here.
  await expect(compiler.prepare(await deliverChange(forged, other))).rejects.toThrow('do not have the hash')
  await compiler.prepare(await deliverChange(first, other))
  expect(compiler.commit()?.version).toBe(other.version)
})
