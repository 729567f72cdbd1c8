/** The tables of webhooks: how far each has come, and what it was sent. */

/** How far a webhook has followed the audit, and whether it is received. */
export interface WebhookCursorTable {
  webhook_id: string
  /** Number of the last entry of the audit that was looked at. */
  seq: number
  /** Since when nothing was received; null while something is. */
  failing_since_ms: number | null
  /** Null while it is tried. */
  disabled_at_ms: number | null
}

/** An event on its way to a webhook, or what became of it; only the latest are kept. */
export interface WebhookDeliveryTable {
  id: string
  webhook_id: string
  event: string
  /** The entry of the audit that it tells of. */
  seq: number
  /** JSON, sent as it is. */
  body: string
  /** pending, delivered or failed. */
  state: string
  attempts: number
  next_at_ms: number
  status: number | null
  detail: string
  created_at_ms: number
  updated_at_ms: number
}
