import { expect, test } from 'vitest'
import { toForwardedFields, toForwardedLines } from './forwarded-fields.ts'

test('a target of HTTP/1.1 is told the same of a request as one of HTTP/2', () => {
  for (const version of ['1.0', '1.1', '2'] as const) {
    for (const scheme of ['http', 'https'] as const) {
      const peer = { ip: '192.0.2.7', port: 1, scheme, certificate: undefined }
      const exchange = { id: 'an-id', request: { peer, authority: 'books.test:8080', version } }
      const fields = toForwardedFields(exchange)
      const pairs = Array.from({ length: fields.length / 2 }, (_, i) => `${fields[2 * i]}: ${fields[2 * i + 1]}\r\n`)
      expect(toForwardedLines(exchange)).toBe(pairs.join(''))
      expect(pairs.join('')).toBe(
        `x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: ${scheme}\r\nx-forwarded-host: books.test:8080\r\n` +
          `x-request-id: an-id\r\nvia: ${version} headgate\r\n`,
      )
    }
  }
})
