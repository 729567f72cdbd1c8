/** Templates of paths, such as `/files/{name}.{extension}`: segments of text, of one parameter, or of both in turn. */

const PARAMETER = /\{([^{}]*)\}/

/** Text and parameter names in turn, text first and last: `{a}.{b}` is `['', 'a', '.', 'b', '']`. */
export function splitTemplate(template: string): string[] {
  return template.split(PARAMETER)
}

/** Names of the parameters, in their order. */
export function parameterNamesOf(path: string): string[] {
  return splitTemplate(path).filter((_, at) => at % 2 === 1)
}
