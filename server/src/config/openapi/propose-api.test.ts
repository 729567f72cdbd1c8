import { describe, expect, test } from 'vitest'
import { proposeApi } from './propose-api.ts'

const source = new URL('https://docs.example.com/specs/openapi.json')

test('a name, version and base path are made of what the document says', () => {
  const info = { title: 'Bücher & mehr (beta)', version: 'v1 2027/03', description: 'd' }
  expect(proposeApi({ info }, source)).toEqual({
    name: 'bucher-mehr-beta',
    title: 'Bücher & mehr (beta)',
    version: 'v1-2027-03',
    description: 'd',
    basePath: '/bucher-mehr-beta',
    servers: [],
  })
})

test('and have defaults when it says nothing', () => {
  for (const document of [{}, { info: { title: '', version: 2 } }, { info: { title: '!!!', version: null } }, null]) {
    expect(proposeApi(document, source)).toMatchObject({ name: 'api', basePath: '/api' })
  }
})

describe('servers', () => {
  const serversOf = (...servers: unknown[]): readonly string[] => proposeApi({ servers }, source).servers

  test.each([
    [{ url: 'https://api.example.com/v1/' }, ['https://api.example.com/v1']],
    [{ url: '/v1' }, ['https://docs.example.com/v1']],
    [{ url: '//api.example.com' }, ['https://api.example.com']],
    [
      { url: 'https://{host}:{port}/', variables: { host: { default: 'a.example.com' }, port: { enum: ['8443'] } } },
      ['https://a.example.com:8443'],
    ],
    [{ url: 'https://{host}/' }, []],
    [{ url: 'wss://api.example.com' }, []],
    [{ url: 'https://name:word@api.example.com' }, []],
    [{ url: 1 }, []],
    [null, []],
  ])('%j', (server, urls) => expect(serversOf(server)).toEqual(urls))

  test('are listed once, in their order', () => {
    expect(serversOf({ url: 'https://b' }, { url: 'https://a' }, { url: 'https://b/' })).toEqual([
      'https://b',
      'https://a',
    ])
  })

  test('of a document on disk have to say where they are', () => {
    expect(
      proposeApi({ servers: [{ url: '/v1' }, { url: 'http://a/v1' }] }, new URL('file:///a.json')).servers,
    ).toEqual(['http://a/v1'])
  })
})
