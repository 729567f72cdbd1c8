/** Compares what Headgate read with what llhttp read: stricter is right, anything else that differs is not. */
import { RequestHead } from '../../src/gateway/http1/parse.ts'
import type { ExpectedMessage } from './llhttp-cases.ts'
import type { LlhttpResult } from './llhttp.ts'
import type { MessageReader, ReadMessage } from './message-reader.ts'

/** The fields that the parser keeps for itself, besides those that Connection nominates. */
const kept = new Set(
  `connection content-length expect host http2-settings keep-alive proxy-authenticate proxy-authorization
  proxy-connection te transfer-encoding upgrade`.split(/\s+/),
)
/** The role of these depends on the side: an answer may state a length without having a body. */
const onlyFraming = new Set(['content-length'])

/** Sentences about what must not be; none when all is well. */
export function findBreaches(ours: MessageReader, theirs: LlhttpResult): string[] {
  const breaches: string[] = []
  for (const [i, message] of ours.messages.entries()) {
    const expected = theirs.messages[i]
    if (expected !== undefined) breaches.push(...compareMessages(message, expected))
    else if (!theirs.upgraded) breaches.push(`message ${i + 1} was accepted, and llhttp does not know it`)
  }
  const isOpen = ours.state === 'open'
  if (theirs.error !== undefined && isOpen) breaches.push(`llhttp refuses (${theirs.error}) and Headgate reads on`)
  if (theirs.error === undefined && isOpen && !theirs.upgraded) {
    const [own, other] = [
      ours.messages.filter((each) => each.complete),
      theirs.messages.filter((each) => each.complete),
    ]
    if (own.length !== other.length) breaches.push(`${own.length} messages are whole, llhttp has ${other.length}`)
  }
  return breaches
}

function compareMessages(ours: ReadMessage, theirs: ExpectedMessage): string[] {
  const breaches: string[] = []
  const expect = (what: string, own: unknown, other: unknown): void => {
    if (JSON.stringify(own) !== JSON.stringify(other)) {
      breaches.push(`${what} is ${JSON.stringify(own)}, llhttp has ${JSON.stringify(other)}`)
    }
  }
  const { head } = ours
  if (head instanceof RequestHead) {
    expect('method', head.method, theirs.method)
    expect('target', head.query === undefined ? head.path : `${head.path}?${head.query}`, toTarget(theirs))
    expect('authority', head.authority, toAuthority(theirs))
  } else expect('status', head.status, theirs.status)
  const comparable = ours.fields.filter(([name]) => !onlyFraming.has(name))
  expect('fields', comparable, toEndToEnd(theirs.fields))
  // Where one of them stops in the midst of a body, what both have must agree.
  const length =
    ours.complete && theirs.complete ? Number.POSITIVE_INFINITY : Math.min(ours.body.length, theirs.body.length)
  expect('body', ours.body.slice(0, length), theirs.body.slice(0, length))
  if (ours.complete && !theirs.complete) breaches.push('the message is whole, and llhttp waits for more')
  return breaches
}

/** The target that is sent on: without the authority, and with what RFC 3986 does not allow percent-encoded. */
function toTarget({ method, url }: ExpectedMessage): string {
  const absolute = /^https?:\/\/[^/?]*/i.exec(url)
  const rest = absolute === null ? url : url.slice(absolute[0].length)
  const target =
    absolute === null || rest.startsWith('/') ? rest : method === 'OPTIONS' && rest === '' ? '*' : `/${rest}`
  return target.replaceAll(/["<>[\]\\^`{|}]/g, (each) => encodeURIComponent(each))
}

function toAuthority({ url, fields }: ExpectedMessage): string {
  const absolute = /^https?:\/\/([^/?]*)/i.exec(url)
  return absolute?.[1] ?? fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? ''
}

function toEndToEnd(fields: ExpectedMessage['fields']): [string, string][] {
  const lowered = fields.map(([name, value]): [string, string] => [name.toLowerCase(), trim(value)])
  const connection = lowered.flatMap(([name, value]) => (name === 'connection' ? value.toLowerCase().split(',') : []))
  const nominated = new Set(connection.map((each) => each.trim()).filter((each) => !notFields.has(each)))
  return lowered.filter(([name]) => !kept.has(name) && !nominated.has(name))
}

/** Options of Connection that are no names of fields. */
const notFields = new Set(['close'])

function trim(value: string): string {
  return value.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}
