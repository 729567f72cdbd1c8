/** Judges what a whole gateway did with a connection by what its parser alone makes of the same bytes. */
import { normalisePath } from '../../src/kernel/path.ts'
import { CHUNKED, RequestHead } from '../../src/gateway/http1/parse.ts'
import type { ExpectedMessage } from './llhttp-cases.ts'
import type { ConformanceListener, Delivered } from './listener.ts'
import { MessageReader, type ReadMessage } from './message-reader.ts'

/** Sends bytes as a client: only what the parser accepts may reach the upstream, and unchanged where it counts. */
export async function judgeRequests(listener: ConformanceListener, pieces: readonly Buffer[]): Promise<string[]> {
  const reader = new MessageReader({ side: 'request' })
  for (const piece of pieces) reader.push(piece)
  const whole = reader.messages.filter((each) => each.complete)
  const methods = whole.map(({ head }) => (head instanceof RequestHead ? head.method : ''))
  const delivered = await listener.deliver(pieces, methods)
  const breaches = [...delivered.malformed]
  const forwarded = whole.filter(isForwarded)
  for (const [i, message] of delivered.reached.entries()) {
    const expected = forwarded[i]
    if (expected === undefined) breaches.push(`request ${i + 1} reached the upstream, and was not accepted`)
    else breaches.push(...compareForwarded(message, expected))
  }
  if (reader.state === 'refused' && !isRefusedLast(delivered, reader)) breaches.push('the refusal was not answered')
  if (reader.state !== 'refused' && delivered.answers.length > reader.messages.length)
    breaches.push('there are more answers than requests')
  const lastAt = whole.findIndex(endsConnection)
  const answerable = lastAt === -1 ? whole : whole.slice(0, lastAt + 1)
  const unanswered = answerable.filter(isForwarded).length - delivered.reached.length
  if (unanswered > 0 && delivered.answers.length < answerable.length) breaches.push(`${unanswered} requests got lost`)
  return breaches
}

/** Sends bytes as an upstream: the client gets the answer that the parser reads in them, or a 502, or a broken one. */
export async function judgeResponse(listener: ConformanceListener, bytes: Buffer, method: string): Promise<string[]> {
  const reader = new MessageReader({ side: 'response', requestMethod: method })
  reader.push(bytes)
  const expected = reader.messages.find(({ head }) => !(head instanceof RequestHead) && head.status >= 200)
  const { answers, malformed } = await listener.relay(bytes, method)
  const [answer] = answers
  const breaches = [...malformed]
  if (answers.length > 1) breaches.push(`the client got ${answers.length} answers to one request`)
  if (expected === undefined || expected.head instanceof RequestHead) {
    if (answer?.status !== 502) breaches.push(`the client got ${answer?.status}, not 502`)
  } else if (answer !== undefined && answer.status !== 502) {
    if (answer.status !== expected.head.status)
      breaches.push(`the client got ${answer.status}, not ${expected.head.status}`)
    if (!expected.body.startsWith(answer.body)) breaches.push(`the client got the body ${JSON.stringify(answer.body)}`)
    const isWhole = expected.complete || expected.head.bodyBytes === -2
    if (answer.complete && !isWhole) breaches.push('a broken answer was passed on as a whole one')
    if (isWhole && answer.body !== expected.body) breaches.push('the body was cut short')
  }
  return breaches
}

/** Whether the gateway sends such a request on: it has a path, and one that is not refused. */
function isForwarded({ head }: ReadMessage): boolean {
  return head instanceof RequestHead && typeof normalisePath(head.path, 'refuse') === 'string'
}

/** Whether the gateway answers it without its body, which has no length: what follows is read no more. */
function endsConnection(message: ReadMessage): boolean {
  return !isForwarded(message) && message.head.bodyBytes === CHUNKED
}

function compareForwarded(message: ExpectedMessage, { head, body, fields }: ReadMessage): string[] {
  if (!(head instanceof RequestHead)) return []
  const path = normalisePath(head.path, 'refuse')
  const target = typeof path !== 'string' || head.query === undefined ? path : `${path}?${head.query}`
  const breaches: string[] = []
  if (message.method !== head.method || message.url !== target) {
    breaches.push(`${message.method} ${message.url} reached the upstream, not ${head.method} ${head.path}`)
  }
  if (message.body !== body) breaches.push(`the body ${JSON.stringify(message.body)} reached the upstream`)
  const names = message.fields.map(([name]) => name.toLowerCase())
  for (const once of ['host', 'content-length', 'transfer-encoding']) {
    if (names.filter((name) => name === once).length > 1) breaches.push(`${once} reached the upstream twice`)
  }
  const lost = fields.filter(
    ([name]) => !/^(x-forwarded-|x-real-ip$|x-request-id$|forwarded$|via$)/.test(name) && !names.includes(name),
  )
  return [...breaches, ...lost.map(([name]) => `the field ${name} got lost`)]
}

/** A request that breaks off in its body has no answer when the upstream has not answered it either. */
function isRefusedLast({ answers }: Delivered, reader: MessageReader): boolean {
  const last = answers.at(-1)
  const isBodyBroken = reader.messages.at(-1)?.complete === false
  return isBodyBroken || (last !== undefined && last.status >= 400)
}
