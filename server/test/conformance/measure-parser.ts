/** `npm run conformance -- --measure`: what reading costs, in nanoseconds, the best of many short runs. */
import { ChunkedDecoder } from '../../src/gateway/http1/chunked.ts'
import { findHeadEnd, parseRequestHead, parseResponseHead, type HeadLimits } from '../../src/gateway/http1/parse.ts'
import { normalisePath } from '../../src/kernel/path.ts'

const limits: HeadLimits = { maxHeadBytes: 16_384, maxFields: 100, maxTargetBytes: 8192 }

/** Ten fields and about 600 bytes, as a browser or an SDK sends them. */
const request = [
  'GET /bookshop/books/123?limit=20&sort=title HTTP/1.1',
  'Host: api.example.com',
  'Connection: keep-alive',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-US,en;q=0.9,de;q=0.8',
  'X-Api-Key: hg_live_4f1c9a0b7d2e4c6f8a1b3d5e7f9a0c2e',
  'Referer: https://app.example.com/dashboard/books?page=2',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'Cookie: session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0; theme=dark',
  '',
  '',
].join('\r\n')

const response = [
  'HTTP/1.1 200 OK',
  'Content-Type: application/json; charset=utf-8',
  'Content-Length: 1024',
  'Date: Fri, 21 Nov 2025 10:00:00 GMT',
  'Server: bookshop',
  'ETag: "abc"',
  'Cache-Control: no-store',
  '',
  '',
].join('\r\n')

const runs = 100
const repeats = 10_000

function measure(name: string, work: () => unknown): void {
  let kept: unknown
  let bestNs = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const startNs = process.hrtime.bigint()
    for (let i = 0; i < repeats; i++) kept = work()
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - startNs) / repeats)
  }
  console.log(`| ${name} | ${kept === undefined ? '' : bestNs.toFixed(0)} |`)
}

export function measureParser(): void {
  const head = Buffer.from(request)
  const unknown = Buffer.from(request.replace('X-Api-Key', 'X-Acme-Key').replace('Referer', 'X-Acme-Page'))
  const unnamed = Buffer.from(request.replace('Host', 'Hots'))
  const unheard = Buffer.from(`X${request}`)
  const answer = Buffer.from(response)
  const body = Buffer.from(`400\r\n${'x'.repeat(1024)}\r\n0\r\n\r\n`)
  let chunkBytes = 0
  const decoder = new ChunkedDecoder(
    { maxTrailerBytes: 1000, maxFields: 10, maxExtensionBytes: 100 },
    (_, start, end) => {
      chunkBytes += end - start
    },
  )
  console.log(`\n| work | ns |\n|---|---|`)
  measure(`find the end of a head of ${head.length} bytes`, () => findHeadEnd(head, 0, 0, head.length))
  measure('read that head, ten fields', () => parseRequestHead(head, 0, head.length, limits))
  measure('read it with two unusual names', () => parseRequestHead(unknown, 0, unknown.length, limits))
  measure('refuse it without a host', () => parseRequestHead(unnamed, 0, unnamed.length, limits))
  measure('refuse it for its method', () => parseRequestHead(unheard, 0, unheard.length, limits))
  measure(`read a response head of ${answer.length} bytes`, () =>
    parseResponseHead(answer, 0, answer.length, limits, 'GET', false),
  )
  measure('decode one chunk of 1 KB', () => {
    decoder.reset()
    return decoder.push(body, 0, body.length) + chunkBytes
  })
  measure('normalise a plain path', () => normalisePath('/bookshop/books/123', 'refuse'))
  measure('normalise a path with encodings and dots', () => normalisePath('/bookshop/b%6foks/../a', 'refuse'))
}
