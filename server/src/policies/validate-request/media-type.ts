/** Media types (RFC 9110 §8.3.1) as far as a request's body has to be found among those that an operation describes. */

const TYPE = /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+$/
/** A parameter with what stands before it (RFC 9110 §5.6.6): its name, then a token or a quoted text. */
const PARAMETER = /[\t ]*;[\t ]*(?:([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)"))?/y

/** Type and subtype in lower case, without parameters; empty when there are none, or not in that form. */
export function toEssence(mediaType: string): string {
  const end = mediaType.indexOf(';')
  const essence = (end === -1 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase()
  return TYPE.test(essence) ? essence : ''
}

export function isJsonType(essence: string): boolean {
  return essence === 'application/json' || essence === 'text/json' || essence.endsWith('+json')
}

/**
 * Whether JSON in the charset that is named, if one is, can be read: it is UTF-8 (RFC 8259 §8.1), or a part of it. What
 * readers could take for different charsets cannot: two of them, or parameters that break the grammar.
 */
export function isReadableCharset(mediaType: string): boolean {
  const start = mediaType.indexOf(';')
  if (start === -1) return true
  let charset: string | undefined
  PARAMETER.lastIndex = start
  while (PARAMETER.lastIndex < mediaType.length) {
    const found = PARAMETER.exec(mediaType)
    if (found === null) return false
    const [, name, token, quoted] = found
    if (name?.toLowerCase() !== 'charset') continue
    if (charset !== undefined) return false
    charset = token ?? quoted?.replaceAll(/\\(.)/g, '$1')
  }
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)
}

/** The most specific of the ranges that a media type falls into: itself, `type/*`, `*\/*`. */
export function findRange<Range extends { readonly range: string }>(
  essence: string,
  ranges: readonly Range[],
): Range | undefined {
  const ofType = `${essence.split('/')[0]}/*`
  for (const wanted of [essence, ofType, '*/*']) {
    const found = ranges.find(({ range }) => range === wanted)
    if (found !== undefined) return found
  }
  return undefined
}
