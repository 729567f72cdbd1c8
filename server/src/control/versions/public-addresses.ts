/** Where a version is served, as its settings say it. */
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'

/** An address for each host by name; one path alone when it is served on any host. */
export function toPublicAddresses(settings: JsonObject, version: string): string[] {
  const { host, hosts, basePath, selector } = settings
  const isInPath = isJsonObject(selector) && selector['by'] === 'path'
  const versionPath = isInPath ? `/${textOf(selector['value']) ?? version}` : ''
  const path = (textOf(basePath) ?? '').replace(/\/+$/, '') + versionPath || '/'
  const all = [host, ...(Array.isArray(hosts) ? hosts : [])].map(textOf)
  const named = all.filter((each) => each !== undefined && !each.startsWith('*'))
  return named.length === 0 ? [path] : named.map((each) => `https://${each}${path}`)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
