/** Which of the media types of an answer a client gets (RFC 9110 §12.5.1). */

/** Type and subtype in lower case, without parameters. */
export function toEssence(mediaType: string): string {
  return (mediaType.split(';')[0] ?? '').trim().toLowerCase()
}

export function isJsonType(essence: string): boolean {
  return essence === 'application/json' || essence === 'text/json' || essence.endsWith('+json')
}

interface Range {
  readonly type: string
  readonly subtype: string
  readonly quality: number
}

const MAX_RANGES = 100

/** The type that the client likes best; JSON and then the order of the document decide between equals. */
export function negotiate<Type extends { readonly essence: string }>(
  accept: string | undefined,
  types: readonly Type[],
): Type | undefined {
  const ranges = accept === undefined || accept.trim() === '' ? [] : parseAccept(accept)
  const ranked = types.map((type, order) => {
    return { type, quality: ranges.length === 0 ? 1 : qualityOf(type.essence, ranges), order }
  })
  const isJson = ({ type }: (typeof ranked)[number]): number => (isJsonType(type.essence) ? 0 : 1)
  const [best] = ranked
    .filter(({ quality }) => quality > 0)
    .toSorted((one, other) => other.quality - one.quality || isJson(one) - isJson(other) || one.order - other.order)
  return best?.type
}

function parseAccept(accept: string): Range[] {
  return accept
    .split(',', MAX_RANGES)
    .flatMap((each) => {
      const [type = '', subtype] = toEssence(each).split('/')
      const quality = /;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)/i.exec(each)?.[1]
      return subtype === undefined ? [] : [{ type, subtype, quality: quality === undefined ? 1 : Number(quality) }]
    })
    .toSorted((one, other) => precision(other) - precision(one))
}

/** The most precise range that the type falls into decides, not the one with the highest quality. */
function qualityOf(essence: string, ranges: readonly Range[]): number {
  const [type, subtype] = essence.split('/')
  const range = ranges.find(
    (each) => (each.type === '*' || each.type === type) && (each.subtype === '*' || each.subtype === subtype),
  )
  return range?.quality ?? 0
}

function precision({ type, subtype }: Range): number {
  return (type === '*' ? 0 : 1) + (subtype === '*' ? 0 : 1)
}
