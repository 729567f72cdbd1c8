/** Media types (RFC 9110 §8.3.1) as far as a request's body has to be found among those that an operation describes. */

/** Type and subtype in lower case, without parameters. */
export function toEssence(mediaType: string): string {
  const end = mediaType.indexOf(';')
  return (end === -1 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase()
}

export function isJsonType(essence: string): boolean {
  return essence === 'application/json' || essence === 'text/json' || essence.endsWith('+json')
}

/** Whether JSON in the charset that is named, if one is, can be read: it is UTF-8 (RFC 8259 §8.1), or a part of it. */
export function isReadableCharset(mediaType: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(mediaType)?.[1]
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
