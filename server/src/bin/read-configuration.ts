/** Configuration files of this machine as one document to send: references to variables and files are replaced here. */
import { besideFile, FileReader } from '../config/file-reader.ts'
import { Findings } from '../config/findings.ts'
import { loadDocument } from '../config/load-document.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json.ts'
import { AdminError } from './admin-client.ts'
import { bundleText } from './bundle-document.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

export interface SentConfiguration {
  readonly document: JsonObject
  /** The OpenAPI documents by the name under which the document names them. */
  readonly files: Readonly<Record<string, string>>
}

/** Throws a ConfigError with the places of everything that cannot be read. */
export async function readConfiguration(
  path: string,
  environment: CommandSurroundings['environment'],
): Promise<SentConfiguration> {
  const reader = new FileReader()
  const findings = new Findings()
  const root: unknown = loadDocument(path, environment, reader, findings, 'control')
  findings.throwIfAny(() => reader.watched)
  if (!isJsonObject(root)) throw new AdminError(`${path} holds no configuration.`)
  const files: Record<string, string> = {}
  const { apis } = root
  if (!Array.isArray(apis)) return { document: root, files }
  const named: JsonValue[] = []
  for (const [index, api] of apis.entries()) {
    if (!isJsonObject(api) || typeof api['spec'] !== 'string') {
      named.push(api)
      continue
    }
    const file = besideFile(findings.place(['apis', index, 'spec']).file, api['spec'])
    // Two files of a directory may name different documents alike, so each gets a name of its own.
    const name = `${index}-${api['spec'].replaceAll(/[^A-Za-z0-9._-]/g, '-')}`
    files[name] = await bundleText(file, reader.read(file))
    named.push({ ...api, spec: name })
  }
  return { document: { ...root, apis: named }, files }
}
