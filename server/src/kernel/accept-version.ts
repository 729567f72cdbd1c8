/** The version of an API that an `Accept` field asks for (RFC 9110 §12.5.1). */

/**
 * Members of a list; a comma inside a quoted string parts nothing. One that is not closed goes to the end: looking for the
 * end of each again would take time that grows with the square of the field.
 */
const MEMBER = /(?:[^,"]|"(?:[^"\\]|\\[^])*(?:"|\\?$))+/g
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)=("(?:[^"\\]|\\.)*"|[^;, \t"]*)/gi
/** More than anybody asks for; whoever sends thousands makes nobody read them for every version there is. */
const MOST_MEMBERS = 100

/**
 * As in `application/vnd.books.v2+json` for the vendor `books`, or as the parameter `version`. Of several members the one
 * with the highest weight counts, of equals the first. Undefined: it names no version among its first members.
 */
export function versionOfAccept(accept: string, vendor: string): string | undefined {
  let best: string | undefined
  let bestWeight = 0
  for (const [member] of accept.matchAll(MEMBER).take(MOST_MEMBERS)) {
    const parameters = new Map(
      [...member.matchAll(PARAMETER)].map(([, name = '', value = '']) => [name.toLowerCase(), value]),
    )
    const weight = Number(parameters.get('q') ?? 1)
    if (!(weight > bestWeight)) continue
    const named = versionOfType(member, vendor) ?? parameters.get('version')?.replace(/^"(.*)"$/, '$1')
    if (named === undefined || named === '') continue
    best = toMediaVersion(named)
    bestWeight = weight
  }
  return best
}

function versionOfType(member: string, vendor: string): string | undefined {
  if (vendor === '') return undefined
  const [type = ''] = member.split(';', 1)
  const subtype = type
    .slice(type.indexOf('/') + 1)
    .trim()
    .toLowerCase()
  const begin = `vnd.${vendor.toLowerCase()}.`
  if (!subtype.startsWith(begin)) return undefined
  const [version = ''] = subtype.slice(begin.length).split('+', 1)
  return version === '' ? undefined : version
}

/** `v2`, `V2` and `2` are one version: media types have it with the letter, parameters without. */
export function toMediaVersion(text: string): string {
  return text.toLowerCase().replace(/^v(?=\d)/, '')
}
