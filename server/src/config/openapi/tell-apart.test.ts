import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FieldMatch } from '../../kernel/snapshot.ts'
import type { Demand } from './demands.ts'
import { tellApart, type Contender } from './tell-apart.ts'

type Named = Contender & { readonly name: string }

/** `need('a=1 b', 'application/json')`: an operation whose requests carry `a` with one value and `b` with any. */
function need(query: string, ...mediaTypes: string[]): Named {
  const demands = query
    .split(' ')
    .filter((each) => each !== '')
    .map((each): Demand => {
      const [name = '', value] = each.split('=')
      return { place: 'query', name, value }
    })
  return {
    name: `${query} ${mediaTypes.join()}`,
    method: 'GET',
    path: '/a',
    query: [],
    demands: () => demands,
    mediaTypes: () => mediaTypes,
  }
}

/** The conditions of each, as `a=1 b -c`. */
function conditionsOf(contenders: readonly Contender[]): string[] {
  const found = tellApart(contenders)
  const show = ({ name, value, absent }: FieldMatch): string =>
    absent === true ? `-${name}` : value === undefined ? name : `${name}=${value}`
  return contenders.map((each) => {
    const { query = [], headers = [] } = found.get(each) ?? {}
    return [...query.map(show), ...headers.map(show)].join(' ')
  })
}

describe('operations of one method and path', () => {
  test.each([
    [
      'a different value each',
      [need('action=read v=1'), need('action=write v=1'), need('action=list v=1')],
      ['action=read', 'action=write', 'action=list'],
    ],
    ['what only one requires', [need(''), need('q')], ['', 'q']],
    [
      'what each requires alone, the first one first',
      [need('lat lon'), need('city'), need('id')],
      ['lat', '-lat city', '-lat -city'],
    ],
    ['one value against any', [need('list=all'), need('list')], ['list=all', '']],
    [
      'the only media type of the body',
      [need('', 'application/json'), need('', 'application/octet-stream', 'multipart/form-data')],
      ['content-type=application/json', ''],
    ],
    ['the only media type of each', [need('', 'a/b'), need('', 'c/d')], ['content-type=a/b', 'content-type=c/d']],
    ['nothing, when nothing does', [need('a'), need('a')], ['', '']],
  ])('are told apart by %s', (_, contenders, conditions) => expect(conditionsOf(contenders)).toEqual(conditions))

  test('ask for nothing when they are alone, but for what their path writes down', () => {
    const alone = { ...need('a=1'), query: [{ name: 'v', value: '2' }] }
    expect(conditionsOf([alone, { ...need('a=2'), path: '/b' }, { ...need('a=3'), method: 'PUT' }])).toEqual([
      'v=2',
      '',
      '',
    ])
  })

  test('whose parameters have other names share a path', () => {
    expect(
      conditionsOf([
        { ...need('a'), path: '/{x}' },
        { ...need(''), path: '/{y}' },
      ]),
    ).toEqual(['a', ''])
  })
})

test('a request that one operation needs never fits two routes equally well, when no two demand the same', () => {
  const demand = fc.constantFrom('a=1', 'a=2', 'b=1', 'b=2', 'c', 'd')
  const contender = fc
    .uniqueArray(demand, { maxLength: 3, selector: (each) => each.charAt(0) })
    .map((demands) => need(demands.toSorted().join(' ')))
  const contenders = fc.uniqueArray(contender, { minLength: 2, maxLength: 5, selector: ({ name }) => name })
  const fits = (query: readonly FieldMatch[], request: ReadonlyMap<string, string>): boolean =>
    query.every(({ name, value, absent }) =>
      absent === true ? !request.has(name) : request.has(name) && (value ?? request.get(name)) === request.get(name),
    )
  fc.assert(
    fc.property(contenders, (all) => {
      const found = tellApart(all)
      for (const each of all) {
        const request = new Map(each.demands().map(({ name, value }) => [name, value ?? 'any']))
        const queries = all.map((other) => found.get(other)?.query ?? []).filter((query) => fits(query, request))
        const most = Math.max(...queries.map((query) => query.length))
        expect(queries.filter((query) => query.length === most)).toHaveLength(1)
      }
    }),
    { numRuns: 5000 },
  )
})
