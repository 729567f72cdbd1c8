/** Which origins a page may have that reads our answers. */

export interface OriginList {
  /** What `Access-Control-Allow-Origin` says to this origin; undefined when it is not allowed. */
  allow(origin: string): string | undefined
}

/** `https://app.example.com`, with a port if it is not the scheme's own, or `https://*.example.com`. */
const ORIGIN = /^(https?|[a-z][a-z0-9+.-]*):\/\/(\*\.)?([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/

/** What is wrong with an entry of the list, undefined when nothing is. */
export function originFault(entry: string): string | undefined {
  if (entry === '*' || entry === 'null') return undefined
  const found = ORIGIN.exec(entry)
  if (found === null) {
    return `${entry} is no origin: write scheme and host in lower case, as in https://app.example.com or https://*.example.com`
  }
  const [, scheme, wildcard, host = '', port] = found
  if ((scheme === 'https' && port === ':443') || (scheme === 'http' && port === ':80')) {
    return `${entry} names the port that browsers leave out: write ${entry.slice(0, -(port?.length ?? 0))}`
  }
  if (wildcard !== undefined && !host.includes('.')) return `${entry} would allow a whole top-level domain`
  return undefined
}

/** Compiles the list. With `anyone`, the answer is the same for all and may be cached once. */
export function createOriginList(entries: readonly string[]): OriginList {
  if (entries.includes('*')) return { allow: () => '*' }
  const exact = new Set(entries.filter((entry) => !entry.includes('*')))
  const wildcards = entries.filter((entry) => entry.includes('*')).map((entry) => entry.split('*'))
  return {
    allow: (origin) =>
      exact.has(origin) || wildcards.some((wildcard) => matches(origin, wildcard)) ? origin : undefined,
  }
}

/** `*` stands for one or more labels of a host and nothing else, so that no other scheme, port or path slips in. */
function matches(origin: string, [before = '', after = '']: readonly string[]): boolean {
  if (origin.length <= before.length + after.length || !origin.startsWith(before) || !origin.endsWith(after))
    return false
  return LABELS.test(origin.slice(before.length, origin.length - after.length))
}

const LABELS = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/
