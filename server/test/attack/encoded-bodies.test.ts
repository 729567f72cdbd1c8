import { deflateSync, brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { testGateway, type TestGateway } from '../test-gateway.ts'

const schema = { type: 'object', properties: { title: { type: 'string' } }, additionalProperties: false }
const requestBody = { required: true, content: { 'application/json': { schema } } }
const paths = { '/books': { post: { operationId: 'add', requestBody, responses: {} } } }
const spec = JSON.stringify({ openapi: '3.1.0', info: { title: 'Books', version: '1' }, paths })

const good = '{"title":"a"}'
const bad = '{"role":"admin"}'
const tail = Buffer.from(bad)

/** A gateway that lets nothing pass but a book. */
async function booksGateway(): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-attack-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'books.openapi.json')
  writeFileSync(path, spec)
  return testGateway({ policies: [{ kind: 'validate-request' }], routes: [], api: { spec: path } })
}

async function send(gateway: TestGateway, encoding: string, body: Buffer | string): Promise<number> {
  const headers = { 'content-type': 'application/json', ...(encoding !== '' && { 'content-encoding': encoding }) }
  return (await gateway.inject('POST /books', { headers, body })).status
}

test('a body that keeps its promise passes in every encoding, byte for byte', async () => {
  const gateway = await booksGateway()
  const encoded = [gzipSync(good), deflateSync(good), brotliCompressSync(good), zstdCompressSync(good)]
  for (const [at, encoding] of ['gzip', 'deflate', 'br', 'zstd'].entries()) {
    expect(await send(gateway, encoding, encoded[at] ?? ''), encoding).toBe(200)
  }
  expect(gateway.seen).toHaveLength(4)
})

test.each<[attack: string, encoding: string, body: Buffer | string, status: number]>([
  ['what the schema refuses', '', bad, 400],
  ['the same in an encoding', 'gzip', gzipSync(bad), 400],
  ['the same as a second member', 'gzip', Buffer.concat([gzipSync(good), gzipSync(bad)]), 400],
  ['bytes behind the gzip member', 'gzip', Buffer.concat([gzipSync(good), tail]), 415],
  ['a member behind padding', 'gzip', Buffer.concat([gzipSync(good), Buffer.alloc(4), gzipSync(bad)]), 415],
  ['bytes behind the zlib stream', 'deflate', Buffer.concat([deflateSync(good), tail]), 415],
  ['bytes behind the brotli stream', 'br', Buffer.concat([brotliCompressSync(good), tail]), 415],
  ['bytes behind the zstd frame', 'zstd', Buffer.concat([zstdCompressSync(good), tail]), 415],
  ['an encoding that is cut off', 'gzip', gzipSync(good).subarray(0, -4), 415],
  ['an encoding within an encoding', 'gzip, gzip', gzipSync(gzipSync(good)), 415],
  ['an encoding named like a member of all objects', 'constructor', good, 415],
  ['an encoding named like their prototype', '__proto__', good, 415],
  ['an encoding that is none', 'gzip', good, 415],
  ['a small text that unpacks beyond the limit', 'gzip', gzipSync(`{"title":"${'a'.repeat(2 ** 21)}"}`), 413],
  ['a name that stands twice', '', '{"title":"a","\\u0074itle":{"role":"admin"}}', 400],
  ['a prototype', '', '{"title":"a","__proto__":{"role":"admin"}}', 400],
  ['a prototype in disguise', '', '{"title":"a","\\u005f_proto__":{"role":"admin"}}', 400],
  ['a byte order mark', '', `\ufeff${good}`, 400],
])('%s never reaches the upstream', async (_, encoding, body, status) => {
  const gateway = await booksGateway()
  expect(await send(gateway, encoding, body)).toBe(status)
  expect(gateway.seen).toEqual([])
})
