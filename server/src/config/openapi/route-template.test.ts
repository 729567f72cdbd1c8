import { describe, expect, test } from 'vitest'
import { checkTemplate, toRouteTemplate } from './route-template.ts'

describe('paths as documents write them', () => {
  test.each([
    ['/books/{id}', '/books/{id}'],
    ['/books/', '/books/'],
    ['/', '/'],
    ['/#Action=Read', '/'],
    ['/files/{id}#add_shared_link', '/files/{id}'],
    ['/vendor//apps', '/vendor/apps'],
    ['//openapi', '/openapi'],
    ['/search{?q,limit}', '/search'],
    ['/search?q={q}{&limit}', '/search'],
    ['/projects/{id}{.format}', '/projects/{id}.{.format}'],
    ['/a/{x}/b/{x}/c/{x}', '/a/{x}/b/{x-2}/c/{x-3}'],
    ['/insights/{id:}', '/insights/{id:}'],
  ])('%s is routed as %s', (written, path) => {
    const template = toRouteTemplate(written)
    expect(template.path).toBe(path)
    expect(checkTemplate(template)).toBeUndefined()
  })

  test.each([
    ['/files/{+path}', 'names no parameter'],
    ['/files/{proxy+}', 'names no parameter'],
    ['/files/{path*}', 'names no parameter'],
    ['/a/{;x}', 'names no parameter'],
    ['/a/{}', 'names no parameter'],
    ['/a/{b', 'has no partner'],
    ['/a/{b{c}}', 'has no partner'],
    ['/a/{b/c}', 'has no partner'],
    ['/a/{b}{c}', 'touch'],
    ['/a/*/b', 'stands only alone at the end'],
    ['/a/../b', 'never matches'],
  ])('%s cannot be routed', (written, message) => {
    expect(checkTemplate(toRouteTemplate(written))?.message).toContain(message)
  })
})

describe('a query in a path', () => {
  test.each([
    [
      '/a?action=list&v=2',
      [
        { name: 'action', value: 'list' },
        { name: 'v', value: '2' },
      ],
    ],
    ['/a?acl', [{ name: 'acl', value: undefined }]],
    ['/a?q=', [{ name: 'q', value: undefined }]],
    ['/a?q={text}', []],
    ['/a?{search}=1', []],
    ['/a?q=x{text}', []],
    ['/a?', []],
  ])('%s asks for what it writes down', (written, query) => expect(toRouteTemplate(written).query).toEqual(query))

  test('and names the parameters that stand in it', () => {
    expect([...toRouteTemplate('/a?q={text}&from={date_from}').moved]).toEqual([
      ['text', 'q'],
      ['date_from', 'from'],
    ])
  })
})
