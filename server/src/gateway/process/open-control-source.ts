/** A gateway's way to its control plane: the identity that it has, or the one that it gets for a join token. */
import { hostname } from 'node:os'
import type { Log } from '../../kernel/log.ts'
import { askOneOf, ControlRefusal } from './control-link.ts'
import { ControlSource } from './control-source.ts'
import { SnapshotKeeper } from './kept-snapshot.ts'
import { TrustedKey } from './trusted-key.ts'
import { joinControl, readNodeIdentity, writeNodeIdentity, type NodeIdentity } from './node-identity.ts'

export interface ControlConnection {
  /** Of its control processes. */
  readonly urls: readonly string[]
  readonly joinToken: string | undefined
  readonly dataDir: string
  /** File with the key that seals what is kept in `dataDir`. */
  readonly nodeKeyFile: string
  /** Version of Headgate. */
  readonly version: string
  readonly log: Log
}

/** Why the gateway has no control plane to run from, as a sentence for the operator. */
export class JoinError extends Error {
  override readonly name = 'JoinError'
}

/** Rejects with a `JoinError` when the gateway cannot join. */
export async function openControlSource(connection: ControlConnection): Promise<ControlSource> {
  const { urls, dataDir, nodeKeyFile, version, log } = connection
  const identity = readNodeIdentity(dataDir) ?? (await join(connection))
  const trusted = new TrustedKey(identity, (changed) => writeNodeIdentity(dataDir, changed))
  return new ControlSource({ urls, identity, trusted, keeper: new SnapshotKeeper(dataDir, nodeKeyFile), version, log })
}

async function join({ urls, joinToken, dataDir }: ControlConnection): Promise<NodeIdentity> {
  if (joinToken === undefined) {
    throw new JoinError(
      'This gateway has not joined a control plane. Make a join token there (POST /api/v1/gateways/join-tokens), and set HEADGATE_NODE_TOKEN.',
    )
  }
  const identity = await askOneOf(urls, (url) => joinControl(url, joinToken, hostname())).catch((cause: unknown) => {
    throw new JoinError(toSentence(urls, cause), { cause })
  })
  writeNodeIdentity(dataDir, identity)
  return identity
}

function toSentence(urls: readonly string[], cause: unknown): string {
  if (cause instanceof ControlRefusal) return cause.message
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
  return `No control plane answers at ${urls.join(' or ')}, so this gateway cannot join: ${reason}.`
}
