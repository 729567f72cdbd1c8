import { expect, test } from 'vitest'
import { versionOfAccept } from './accept-version.ts'

test.each([
  ['application/vnd.books.v2+json', '2'],
  ['application/json; version=2', '2'],
  ['application/json;q=0.5;version=1, application/json;version="2"', '2'],
  ['text/plain;note="a, application/vnd.books.v3+json", application/vnd.books.v2+json', '2'],
  ['text/plain;note="a\\", application/vnd.books.v3+json", application/vnd.books.v2+json', '2'],
  ['application/json', undefined],
  ['application/json;q=0;version=1', undefined],
])('%s asks for version %s', (accept, version) => expect(versionOfAccept(accept, 'books')).toBe(version))

test('a quoted string that is not closed goes to the end', () => {
  expect(versionOfAccept('text/plain;note="a, application/vnd.books.v2+json', 'books')).toBeUndefined()
  expect(versionOfAccept('text/plain;note="a\\", application/vnd.books.v2+json\\', 'books')).toBeUndefined()
})

test('what nobody would send is read once, and no further than its first members', () => {
  // Looking for the end of each string again would take minutes.
  for (const end of ['', '\\']) expect(versionOfAccept(`"${'\\"'.repeat(250_000)}${end}`, 'books')).toBeUndefined()
  const version = ', application/vnd.books.v2+json'
  expect(versionOfAccept(`${'text/plain,'.repeat(99)}${version}`, 'books')).toBe('2')
  expect(versionOfAccept(`${'text/plain,'.repeat(100)}${version}`, 'books')).toBeUndefined()
})
