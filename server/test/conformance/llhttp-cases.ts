/**
 * Reads llhttp's own test cases: markdown with the bytes in an `http` block and what its parser reports in a `log`
 * block. Bytes and offsets of the log are checked against each other, so that a misread case is never judged.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ExpectedMessage {
  method: string
  url: string
  status: number
  fields: [string, string][]
  body: string
  complete: boolean
}

export interface LlhttpCase {
  /** File and heading. */
  readonly name: string
  readonly side: 'request' | 'response'
  /** The body is not read, as after HEAD. */
  readonly skipBody: boolean
  readonly bytes: Buffer
  readonly messages: readonly ExpectedMessage[]
  /** Why llhttp refuses what comes after `messages`; undefined when it does not. */
  readonly error: string | undefined
  /** llhttp stops because the rest belongs to another protocol. */
  readonly upgraded: boolean
}

/** Not errors: paused by a test, for an upgrade, for an upgrade to HTTP/2. */
const pauses = new Set([21, 22, 23])

export function readCases(folder: string): LlhttpCase[] {
  const files = globSync('test/{request,response}/*.md', { cwd: folder }).toSorted()
  return files.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const side = file.includes('/request/') ? 'request' : 'response'
    return readBlocks(text).flatMap((block) => {
      if (block.type !== side && block.type !== `${side}-finish`) return []
      return [toCase(`${file.replace('test/', '')}: ${block.title}`, side, block)]
    })
  })
}

interface Block {
  readonly title: string
  readonly type: string
  readonly skipBody: boolean
  readonly http: string
  readonly log: string
}

function readBlocks(text: string): Block[] {
  const blocks: Block[] = []
  const pattern = /^#+ (.+)$|<!-- meta=(\{.*?\}) -->\s*?```http\n([\s\S]*?)```[\s\S]*?```log\n([\s\S]*?)```/gm
  let title = ''
  for (const [, heading, meta, http = '', log = ''] of text.matchAll(pattern)) {
    if (heading !== undefined) title = heading
    if (meta === undefined) continue
    const parsed: unknown = JSON.parse(meta)
    const type = hasKey(parsed, 'type') ? String(parsed.type) : ''
    blocks.push({ title, type, skipBody: hasKey(parsed, 'skipBody'), http, log })
  }
  return blocks
}

function hasKey<Key extends string>(value: unknown, key: Key): value is Record<Key, unknown> {
  return typeof value === 'object' && value !== null && key in value
}

/** The escapes that llhttp's own runner undoes, in its order. */
function toBytes(http: string): Buffer {
  const text = http
    .replace(/\n$/, '')
    .replaceAll(/\\(\r\n|\r|\n)/g, '')
    .replaceAll(/\r\n|\r|\n/g, '\r\n')
    .replaceAll('\\r', '\r')
    .replaceAll('\\n', '\n')
    .replaceAll('\\t', '\t')
    .replaceAll('\\f', '\f')
    .replaceAll(/\\x([0-9a-fA-F]+)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\([0-7]{1,3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return Buffer.from(text)
}

function toCase(name: string, side: 'request' | 'response', block: Block): LlhttpCase {
  const bytes = toBytes(block.http)
  const messages: ExpectedMessage[] = []
  let error: string | undefined
  let upgraded = false
  for (const line of block.log.split('\n')) {
    const failed = /error code=(\d+) reason="(.*)"/.exec(line)
    if (failed !== null) {
      if (!pauses.has(Number(failed[1]))) error = failed[2]
      else if (failed[1] !== '21') upgraded = true
    }
    readLine(line, bytes, messages, name)
  }
  return { name, side, skipBody: block.skipBody, bytes, messages, error, upgraded }
}

function readLine(line: string, bytes: Buffer, messages: ExpectedMessage[], name: string): void {
  if (line.endsWith('message begin')) {
    messages.push({ method: '', url: '', status: 0, fields: [], body: '', complete: false })
  }
  const message = messages.at(-1)
  if (message === undefined) return
  const status = /headers complete .*?status=(\d+)/.exec(line)
  if (status !== null) message.status = Number(status[1])
  if (line.endsWith('message complete')) message.complete = true
  const span = /off=(\d+) len=(\d+) span\[(\w+)\]=(.*)$/.exec(line)
  if (span === null) return
  const [, off, len, kind = '', shown = ''] = span
  const text = bytes.toString('latin1', Number(off), Number(off) + Number(len))
  if (kind === 'header_field' && shown !== `"${text}"`) throw new Error(`${name}: the log says ${shown}, not "${text}"`)
  const last = message.fields.at(-1)
  if (kind === 'method') message.method += text
  else if (kind === 'url') message.url += text
  else if (kind === 'body') message.body += text
  else if (kind === 'header_field') message.fields.push([text, ''])
  else if (kind === 'header_value' && last !== undefined) last[1] += text
}
