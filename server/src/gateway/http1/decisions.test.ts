/**
 * The decision table of docs/reference/http.md, row by row: every row is a test here and every test a row there, and
 * what a row decides, answers and cites is what the parser does, alone and in a whole gateway behind a socket.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decisionRows, type DecisionRow } from '../../../test/conformance/decision-rows.ts'
import { ConformanceListener } from '../../../test/conformance/listener.ts'
import { MessageReader, type ReadMessage } from '../../../test/conformance/message-reader.ts'
import { normalisePath } from '../../kernel/path.ts'
import { Problem } from '../../kernel/problem.ts'
import { RequestHead } from './parse.ts'

interface Outcome {
  readonly problem: Problem | undefined
  readonly reads: Readonly<Record<string, unknown>>
}

function run(row: DecisionRow): Outcome {
  if (row.side === 'path' || row.side === 'kept slashes') {
    const path = normalisePath(row.bytes, row.side === 'path' ? 'refuse' : 'keep')
    return path instanceof Problem ? { problem: path, reads: {} } : { problem: undefined, reads: { path } }
  }
  const reader = new MessageReader({ side: row.side, requestMethod: row.method ?? 'GET' })
  reader.push(Buffer.from(row.bytes, 'latin1'))
  const message: ReadMessage | undefined = reader.messages[0]
  const reads =
    message === undefined
      ? {}
      : Object.assign({}, message.head, { fields: message.fields, body: message.body, trailers: message.trailers })
  const isAccepted = message !== undefined && (message.head instanceof RequestHead ? reader.state !== 'refused' : true)
  return { problem: reader.problem, reads: isAccepted ? reads : {} }
}

const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/http.md'), 'utf8')
const documented = [
  ...page.matchAll(/^\| `([^`]+)` \| (.+?) \| (accept|repair|refuse)(?:, (\d{3}))? \| (.+?) \|$/gm),
].map(([, id = '', , decision = '', answer, clause = '']) => ({
  id,
  decision,
  answer: answer === undefined ? undefined : Number(answer),
  clause,
}))

describe('the decision table', () => {
  test('has a row for each test and a test for each row', () => {
    expect(documented.map(({ id }) => id).toSorted()).toEqual(decisionRows.map(({ id }) => id).toSorted())
  })

  for (const row of decisionRows) {
    const documentedRow = documented.find(({ id }) => id === row.id)
    test(`${row.id}: ${row.refused === undefined ? 'is read' : `is refused with ${row.refused}`}`, () => {
      const { problem, reads } = run(row)
      if (row.refused === undefined) {
        expect(problem).toBeUndefined()
        expect(reads).toMatchObject(row.reads ?? {})
        expect(documentedRow?.decision).toMatch(/accept|repair/)
      } else {
        expect(problem?.definition.status).toBe(row.refused)
        expect(problem?.definition.blame).toBe(row.side === 'response' ? 'upstream' : 'caller')
        expect(documentedRow).toMatchObject({ decision: 'refuse', answer: row.refused })
        expect(problem?.detail, 'the answer cites the clause of the table').toContain(`(${documentedRow?.clause})`)
      }
    })
  }
})

/** The upstream here is no WebSocket server; the tunnel has tests of its own. */
function isServed({ id, refused }: DecisionRow): boolean {
  return refused === undefined && id !== 'websocket'
}

describe('through a whole gateway', () => {
  let listener: ConformanceListener
  const next = 'GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n'
  beforeAll(async () => {
    listener = await ConformanceListener.start()
  })
  afterAll(() => listener.close())

  const requests = decisionRows.filter(({ side }) => side === 'request')
  for (const { id, bytes, refused } of requests.filter((row) => row.refused !== undefined)) {
    test(`${id}: the client is told ${refused} and nothing reaches the upstream, however it was cut`, async () => {
      const whole = Buffer.from(bytes + next, 'latin1')
      for (const pieces of [[whole], [whole.subarray(0, 7), whole.subarray(7)]]) {
        const { answers, reached, malformed } = await listener.deliver(pieces, ['GET'])
        expect(answers.map(({ status }) => status)).toEqual([refused])
        expect(reached).toEqual([])
        expect(malformed).toEqual([])
      }
    })
  }

  for (const { id, bytes, reads } of requests.filter(isServed)) {
    const isKept = !/^version-1.0|^close$|-close$|^empty-elements$|-1\.0$/.test(id)
    test(`${id}: the request is served${isKept ? ', and so is the next one on the connection' : ''}`, async () => {
      const { answers, reached, malformed } = await listener.deliver(
        [Buffer.from(bytes + (isKept ? next : ''), 'latin1')],
        ['GET'],
      )
      expect(malformed).toEqual([])
      expect(answers.length).toBe(isKept ? 2 : 1)
      if (reads?.['path'] !== '*') expect(reached[0]).toMatchObject({ complete: true, body: reads?.['body'] ?? '' })
      if (isKept) expect(reached.at(-1)?.url).toBe('/next')
    })
  }

  for (const { id, bytes } of decisionRows.filter((row) => row.side === 'response' && row.refused !== undefined)) {
    test(`${id}: the client never gets it as a whole answer`, async () => {
      const { answers, malformed } = await listener.relay(Buffer.from(bytes, 'latin1'), 'GET')
      expect(malformed).toEqual([])
      expect(answers.every(({ status, complete }) => status === 502 || !complete)).toBe(true)
    })
  }
})
