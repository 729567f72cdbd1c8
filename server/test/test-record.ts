/** A record with a plain value everywhere, so that a test names only what it is about. */
import type { ExchangeRecord } from '../src/kernel/record.ts'
import { testStartMs } from './test-exchange.ts'

export function testRecord(facts: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    timeMs: testStartMs,
    id: '0'.repeat(32),
    traceId: '',
    ip: '192.0.2.1',
    version: '1.1',
    method: 'GET',
    host: 'api.test',
    path: '/',
    route: 'books/1.0.0/list',
    api: 'books',
    consumer: 'acme',
    credential: 'default',
    status: 200,
    problem: '',
    blame: '',
    durationMs: 2.5,
    upstreamMs: 1.25,
    upstream: 'bookshop',
    target: 'http://127.0.0.1:9001',
    attempts: 1,
    requestBytes: 0,
    responseBytes: 1024,
    ...facts,
  }
}
