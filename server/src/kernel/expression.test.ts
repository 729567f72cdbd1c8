import { describe, expect, test } from 'vitest'
import { testExchange } from '../../test/test-exchange.ts'
import type { Exchange } from './exchange.ts'
import { createReply } from './exchange.ts'
import { compileExpression, ExpressionError, ExpressionFault } from './expression.ts'

const exchange = testExchange({
  method: 'GET',
  host: 'api.test',
  path: '/bookshop/books/12',
  query: 'bulk=1&page=5&page=7&%61=b+c',
  headers: { 'X-Role': ['user', 'admin'], 'content-type': 'application/json' },
  parameters: { id: '12' },
  principal: {
    id: 'acme',
    roles: ['admin'],
    scopes: ['books:read'],
    claims: { tier: 'gold', level: 3, realm: { roles: ['x'] }, group: 'solo' },
  },
})
const bool = (source: string, on: Exchange = exchange): boolean => compileExpression(source, 'bool')(on)
const errorOf = (source: string): ExpressionError => {
  try {
    compileExpression(source, 'bool')
  } catch (error) {
    if (error instanceof ExpressionError) return error
    throw error
  }
  throw new Error(`${source} compiles`)
}

describe('values', () => {
  test.each([
    "request.method == 'GET' && request.path == '/bookshop/books/12' && request.host == 'api.test'",
    "request.ip == '192.0.2.1' && request.scheme == 'http' && request.version == '1.1'",
    "request.query.bulk == '1' && request.query['page'] == '5, 7' && request.query.a == 'b c'",
    "request.headers['X-Role'] == 'user, admin' && request.headers[request.query.none + 'x-role'] == 'user, admin'",
    "request.parameters.id == '12' && request.parameters['id'] == '12'",
    "principal.id == 'acme' && principal.consumer == 'acme' && 'admin' in principal.roles",
    "principal.claims.tier == 'gold' && principal.claims.level >= 3 && 'x' in principal.claims.realm.roles",
    "'solo' in principal.claims.group && !('sol' in principal.claims.group)",
    "route.name == 'list' && route.api == 'books' && route.version == '1.0.0'",
    "now == timestamp('2026-01-01T00:00:00Z') && now - duration('1h') < now && now.getHours() == 0",
    "principal.scopes.exists(s, s.startsWith('books:')) && !principal.roles.all(r, r == 'user')",
    "request.path.split('/')[2] == 'books' && (request.path + '/x').split('/').exists(p, p == 'x')",
    "request.path.matches('^/bookshop/books/[0-9]+$') && !request.path.matches('cards')",
    "route.name.matches('^[a-z]{1,63}$') && route.name.matches('(?i)LIST')",
    "'bulk' in request.query && !('x' in request.query) && size(request.query) == 3",
    "request.query.exists(name, name == 'page') && request.query.filter(name, name.size() > 3).size() == 2",
    "(request).query.bulk == '1' && -(3) == -3 && 1 - (2 - 3) == 2 && 0.5 < 1.0 && {'a': 1}['a'] == 1",
    "request.headers['content-type'].lowerAscii().contains('json') ? true : false",
    `'it\\'s "\\u00e9"\\n' == "it's \\"é\\"" + '\\n' && r'a\\d' == 'a\\\\d'`,
  ])('%s holds', (source) => {
    expect(bool(source)).toBe(true)
  })

  test('what is not there is an empty text or an empty list', () => {
    const anonymous = testExchange()
    for (const name of ['request.query.x', 'request.headers.x', 'request.parameters.x', "request.query['a' + 'b']"]) {
      expect(bool(`${name} == ''`, anonymous), name).toBe(true)
    }
    expect(bool("principal.id == '' && principal.consumer == '' && principal.roles.size() == 0", anonymous)).toBe(true)
    expect(bool("!('admin' in principal.roles) && !('admin' in principal.claims.groups)", anonymous)).toBe(true)
  })

  test('a claim that is not there is null, at any depth, and equals nothing that a client could send', () => {
    const anonymous = testExchange()
    expect(bool("principal.claims.a.b == null && principal.claims['a' + 'b'] == null", anonymous)).toBe(true)
    expect(bool('principal.claims.tenant == request.query.tenant', anonymous)).toBe(false)
    expect(bool("principal.claims.tier == 'gold' || 'x' in principal.claims.realm.roles", anonymous)).toBe(false)
    expect(compileExpression('principal.claims.tenant', 'string')(anonymous)).toBe('')
  })

  test('has() tells a missing name from an empty one, and an absent principal from a present one', () => {
    const asked = testExchange({ query: 'empty=&flag' })
    expect(bool('has(request.query.empty) && has(request.query.flag) && !has(request.query.other)', asked)).toBe(true)
    expect(bool('!has(principal.id) && !has(principal.claims.a.b.c) && !has(request.headers.x)', asked)).toBe(true)
    expect(bool('has(principal.id) && has(principal.claims.realm.roles) && has(principal.roles)')).toBe(true)
  })

  test('a response is told once it is there', () => {
    const answered = testExchange()
    expect(bool("response.status == 0 && response.headers['x'] == ''", answered)).toBe(true)
    answered.reply = createReply(503, { 'retry-after': '1' })
    expect(bool("response.status >= 500 && has(response.headers['Retry-After'])", answered)).toBe(true)
  })

  test('texts and numbers come in the type that was asked for', () => {
    expect(compileExpression("principal.id + '/' + route.name", 'string')(exchange)).toBe('acme/list')
    expect(compileExpression("has(request.query.bulk) ? 10 : int('1')", 'int')(exchange)).toBe(10)
    expect(compileExpression('principal.claims.level', 'int')(exchange)).toBe(3)
  })

  test('an expression reads nothing that it does not come to', () => {
    const untouched = testExchange({ method: 'POST' })
    Object.defineProperty(untouched.request, 'query', {
      get: () => {
        throw new Error('the query was read')
      },
    })
    expect(bool("request.method == 'GET' && request.query.bulk == '1'", untouched)).toBe(false)
  })
})

describe('sources that are refused', () => {
  test.each([
    ['requst.x == 1', 0, 'request, principal, route, response, now'],
    ["true && request.bod == ''", 8, 'request has method, path'],
    ["request.body == ''", 0, 'never makes the gateway read a body'],
    ["has(request.quer.x) || request.path == ''", 4, 'request has method'],
    ['request == request', 0, 'request has method'],
    ['request.query.bulk == 1', 0, 'in quotes'],
    ['int(request.query.bulk)', 0, 'Compare it'],
    ['request.path.frobnicate()', 0, 'startsWith'],
    ['1 +', 3, undefined],
    ['request.path.x == 1', 13, undefined],
    ['principal.roles.exists(request, true)', 23, 'another name'],
  ])('%s', (source, position, hint) => {
    const error = errorOf(source)
    expect(error.position).toBe(position)
    expect(error.message).toContain(`at character ${position + 1}`)
    expect(error.hint ?? '').toContain(hint ?? '')
  })

  test('a value of another type than the one asked for', () => {
    expect(() => compileExpression('request.path', 'int')).toThrow('string instead of int at character 1. Convert it')
    expect(() => compileExpression('1', 'string')).toThrow('int instead of string')
  })
})

describe('no expression runs long', () => {
  test.each([
    ['look-ahead', "request.path.matches('(?=a)b')"],
    ['a back reference', "request.path.matches('(a)\\\\1')"],
    ['a large repetition', "request.path.matches('(?:a{100}){100}')"],
    ['a pattern that a client sends', 'request.path.matches(request.query.pattern)'],
    ['a loop in a loop', 'principal.roles.exists(r, principal.scopes.exists(s, s == r))'],
    ['a text that doubles with every name', "cel.bind(a, 'x', cel.bind(b, a + a, b + b)) == ''"],
    ['a list that is joined', "request.path.split('').join(request.path) == ''"],
    ['a duration that a client sends', "duration(request.query.x) > duration('1s')"],
    ['too many characters', `request.path == '${'x'.repeat(4096)}'`],
    ['too many names', Array.from({ length: 17 }, (_, at) => `has(request.query.a${at})`).join(' || ')],
    ['too deep', `${'('.repeat(60)}true${')'.repeat(60)}`],
  ])('refuses %s', (_, source) => {
    expect(errorOf(source)).toBeInstanceOf(ExpressionError)
  })

  test('a pattern that backtracks without end elsewhere is done at once', () => {
    const hostile = testExchange({ path: `/${'a'.repeat(20_000)}!` })
    expect(bool("request.path.matches('^/(a+)+$') || request.path.matches('^/(a|aa)+$')", hostile)).toBe(false)
  })

  test('a client that sends more names or pieces than are gone through gets a fault', () => {
    const many = testExchange({
      query: Array.from({ length: 300 }, (_, at) => `n${at}`).join('&'),
      path: '/a'.repeat(300),
    })
    expect(() => bool('request.query.exists(n, n == "x")', many)).toThrow(ExpressionFault)
    expect(() => bool('request.path.split("/").size() == 1', many)).toThrow(ExpressionFault)
    expect(bool("has(request.query.n299) && request.query.n299 == ''", many)).toBe(true)
  })

  test('a hundred alternatives still compile', () => {
    const source = Array.from({ length: 100 }, (_, at) => `request.path == '/${at}'`).join(' || ')
    expect(bool(source, testExchange({ path: '/99' }))).toBe(true)
  })
})

describe('an evaluation that fails', () => {
  test('throws instead of giving any value, and says in what', () => {
    expect(() => bool('int(request.query.none) == 1')).toThrow(ExpressionFault)
    expect(() => bool('int(request.query.none) == 1')).toThrow('int(request.query.none) == 1')
    expect(() => bool('principal.claims.tier')).toThrow('a string that is no bool')
    expect(() => compileExpression('principal.claims.none', 'int')(exchange)).toThrow(ExpressionFault)
  })

  test('leaves the next evaluation right', () => {
    expect(() => bool("int('x') == 1")).toThrow(ExpressionFault)
    expect(bool("request.query.bulk == '1'")).toBe(true)
  })
})
