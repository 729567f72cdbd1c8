/** Who a gateway is to its control plane: gained once with a join token, kept in the data folder, readable by it alone. */
import { join } from 'node:path'
import { z } from 'zod'
import { joinAnswer } from '../../kernel/control-protocol.ts'
import { readIfThere, replaceFile } from '../../kernel/whole-file.ts'
import { ControlRefusal } from './control-link.ts'

const nodeIdentity = joinAnswer.extend({
  /** The key of control that it believed before the present one. */
  previousPublicKey: z.string().optional(),
})

export type NodeIdentity = z.output<typeof nodeIdentity>

const FILE = 'node-identity.json'

/** The identity in the folder; undefined when this gateway has not joined. Throws when the file is damaged. */
export function readNodeIdentity(folder: string): NodeIdentity | undefined {
  const path = join(folder, FILE)
  const text = readIfThere(path)
  if (text === undefined) return undefined
  const result = nodeIdentity.safeParse(parseJson(text))
  if (result.success) return result.data
  throw new Error(`${path} is damaged. Remove it, and join again with a new join token.`)
}

/** A crash leaves the identity that was there, or this one: without any, a gateway cannot start. */
export function writeNodeIdentity(folder: string, identity: NodeIdentity): void {
  replaceFile(join(folder, FILE), JSON.stringify(identity, undefined, 2))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON is not an identity, which the caller says.
    return undefined
  }
}

/** Trades a join token for an identity; rejects with a sentence that says why not. */
export async function joinControl(url: string, token: string, name: string): Promise<NodeIdentity> {
  const response = await fetch(new URL('/api/v1/gateway/join', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, token }),
    signal: AbortSignal.timeout(10_000),
  })
  const body: unknown = await response.json()
  if (response.ok) return joinAnswer.parse(body)
  const { title, remedy = '' } = z.looseObject({ title: z.string(), remedy: z.string().optional() }).parse(body)
  throw new ControlRefusal(`The control plane at ${url} did not let this gateway join: ${title}. ${remedy}`.trim())
}
