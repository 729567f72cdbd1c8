/** The tables of HPACK (RFC 7541 §2.3): the static one of appendix A, and a dynamic one for each direction. */
import { toEntry } from './field-entry.ts'

/** One field in each line, the value behind a space. */
const STATIC_FIELDS = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`

/** At index 1 to 61; there is no index 0. */
export const staticTable = [undefined, ...STATIC_FIELDS.split('\n').map(toStaticEntry)]

function toStaticEntry(line: string): ReturnType<typeof toEntry> {
  const space = line.indexOf(' ')
  return space === -1 ? toEntry(line, '') : toEntry(line.slice(0, space), line.slice(space + 1))
}

/** Index of the newest entry of the dynamic table. */
export const FIRST_DYNAMIC = 62
/** What both directions start with (RFC 9113 §6.5.2), and the most that we keep for either. */
export const TABLE_BYTES = 4_096

interface Sized {
  /** Characters of name and value, and 32 (RFC 7541 §4.1). */
  readonly sizeBytes: number
}

export class DynamicTable<Entry extends Sized> {
  /** Oldest first. */
  readonly entries: Entry[] = []
  /** Changes whenever an index comes to mean something else. */
  version = 0
  maxBytes = TABLE_BYTES
  private usedBytes = 0

  /** The entry at an index of the whole address space, from `FIRST_DYNAMIC` on. */
  get(index: number): Entry | undefined {
    return this.entries[this.entries.length - 1 - (index - FIRST_DYNAMIC)]
  }

  /** An entry that is larger than the table empties it (RFC 7541 §4.4). */
  insert(entry: Entry): void {
    this.version++
    this.evictTo(this.maxBytes - entry.sizeBytes)
    if (entry.sizeBytes > this.maxBytes) return
    this.entries.push(entry)
    this.usedBytes += entry.sizeBytes
  }

  resize(maxBytes: number): void {
    this.version++
    this.maxBytes = maxBytes
    this.evictTo(maxBytes)
  }

  private evictTo(bytes: number): void {
    while (this.usedBytes > bytes) {
      const oldest = this.entries.shift()
      if (oldest === undefined) return
      this.usedBytes -= oldest.sizeBytes
    }
  }
}
