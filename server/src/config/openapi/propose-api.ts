/** What an imported document says about how to publish it: a name, a version, a base path, where its server is. */
import { isTree, listOf, toTree, type Tree } from './json-tree.ts'

export interface ApiProposal {
  /** A name as configurations have them, made of the title. */
  readonly name: string
  readonly title: string
  readonly version: string
  readonly description: string | undefined
  readonly basePath: string
  /** URLs of servers that can be called, as the document lists them. They are alternatives: the first is meant. */
  readonly servers: readonly string[]
}

const MOST_NAME_CHARS = 60
const MOST_DESCRIPTION_CHARS = 2000

/** `source` is where the document came from: its servers may be relative to it. */
export function proposeApi(document: unknown, source: URL): ApiProposal {
  const { info, servers } = toTree(document)
  const { title, version, description } = toTree(info)
  const name = toName(typeof title === 'string' ? title.toLowerCase() : '') || 'api'
  return {
    name,
    title: typeof title === 'string' && title !== '' ? title : name,
    version: toName(String(typeof version === 'number' ? version : textOf(version))) || '1.0.0',
    description: typeof description === 'string' ? description.slice(0, MOST_DESCRIPTION_CHARS) : undefined,
    basePath: `/${name}`,
    servers: [...new Set(listOf(servers).flatMap((server) => toUrl(server, source)))],
  }
}

/** Letters without their accents, digits, and dashes for everything else. */
function toName(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '')
  const dashed = plain.replaceAll(/[^A-Za-z0-9._]+/g, '-').replace(/^[^A-Za-z0-9]+/, '')
  return dashed.slice(0, MOST_NAME_CHARS).replace(/[^A-Za-z0-9]+$/, '')
}

/** The URL with its variables at their defaults; none when it is no address of a server over HTTP. */
function toUrl(server: unknown, source: URL): string[] {
  if (!isTree(server) || typeof server['url'] !== 'string') return []
  const text = server['url'].replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => toDefault(server, name) ?? whole)
  if (/[{}]/.test(text) || !URL.canParse(text, source)) return []
  const url = new URL(text, source)
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') return []
  return [`${url.origin}${url.pathname.replace(/\/+$/, '')}`]
}

function toDefault(server: Tree, name: string): string | undefined {
  const variable = toTree(toTree(server['variables'])[name])
  const value = variable['default'] ?? listOf(variable['enum'])[0]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
