/** Configuration as code in tests of the control plane: a document in, what was done, and the document out again. */
import { isJsonObject, type JsonObject } from '../src/kernel/json.ts'
import { textOf } from './control-people.ts'
import type { TestControl } from './test-control.ts'

const AT = '/workspaces/default'

/** What was done to each thing. */
export async function applyDocument({ done }: TestControl, document: JsonObject, source = 'ci'): Promise<JsonObject[]> {
  const { outcomes } = await done('POST', `${AT}/apply`, { document: { ...document, headgate: 1 }, source })
  const list: readonly unknown[] = Array.isArray(outcomes) ? outcomes : []
  return list.filter(isJsonObject)
}

/** Such as `created webhook ci`. */
export function inShort({ action, kind, name }: JsonObject): string {
  return [action, kind, name].map(textOf).join(' ')
}

export async function exportedDocument({ done }: TestControl): Promise<JsonObject> {
  const { document } = await done('GET', `${AT}/export`)
  return isJsonObject(document) ? document : {}
}
