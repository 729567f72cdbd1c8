/** What an OpenAPI document says of the API that it describes: a name, a version, where it runs. */
import { parseSource } from '../../config/source.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'

export interface OpenApiFacts {
  readonly name: string
  readonly version: string
  readonly title: string
  readonly description: string
  /** The first absolute `http` or `https` server; undefined when it names none. */
  readonly serverUrl: string | undefined
}

/** Reads JSON or YAML within the bounds of configuration files; refuses what is no OpenAPI document, and says where. */
export function readOpenApi(text: string): OpenApiFacts {
  const faults: { pointer: string; detail: string }[] = []
  const source = parseSource('openapi.json', text, ({ line, column, message, hint }) => {
    const detail = hint === undefined ? message : `${message}. ${hint}`
    faults.push({ pointer: `/document (line ${line}, column ${column})`, detail })
  })
  if (faults.length > 0) refuse(invalid({ detail: faults[0]?.detail ?? '', errors: faults.slice(0, 20) }))
  const document: unknown = source?.value
  if (!isJsonObject(document) || (document['openapi'] === undefined && document['swagger'] === undefined)) {
    const detail = 'is no OpenAPI document: it says neither `openapi` nor `swagger`'
    return refuse(invalid({ detail, errors: [{ pointer: '/document', detail }] }))
  }
  const info = isJsonObject(document['info']) ? document['info'] : {}
  const title = textOf(info, 'title') ?? ''
  return {
    name: toName(title.toLowerCase()) ?? 'api',
    version: toName(textOf(info, 'version') ?? '') ?? '1.0.0',
    title: title.slice(0, 200),
    description: (textOf(info, 'description') ?? '').slice(0, 2000),
    serverUrl: serverOf(document),
  }
}

function serverOf(document: JsonObject): string | undefined {
  const { servers, schemes, host, basePath } = document
  const urls = Array.isArray(servers) ? servers.filter(isJsonObject).map((server) => textOf(server, 'url')) : []
  if (typeof host === 'string') {
    const scheme = Array.isArray(schemes) && schemes.includes('http') && !schemes.includes('https') ? 'http' : 'https'
    urls.push(`${scheme}://${host}${typeof basePath === 'string' ? basePath : ''}`)
  }
  return urls.find((url) => url !== undefined && /^https?:\/\//.test(url) && !/[{}]/.test(url) && URL.canParse(url))
}

/** `Bookshop API v2!` to `bookshop-api-v2`: what a name may hold. */
function toName(text: string): string | undefined {
  const name = text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 100)
  return name === '' ? undefined : name
}

function textOf(value: JsonObject, key: string): string | undefined {
  const text = value[key]
  return typeof text === 'string' ? text.trim() : typeof text === 'number' ? String(text) : undefined
}
