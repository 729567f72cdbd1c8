/**
 * Signatures of webhooks as Standard Webhooks has them: HMAC-SHA256 over the id, the time and the body, so that nobody
 * else can send one and an old one that is sent again is told by its time.
 */
import { createHmac } from 'node:crypto'

const PREFIX = 'whsec_'

export interface SignedParts {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

/** The three fields of a delivery; one signature for each secret, so that a receiver can change over. */
export function signWebhook({ id, timestamp, body }: SignedParts, secrets: readonly string[]): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') }
}
