/**
 * Sends webhooks in the background, from the store: one of all control processes holds the lease and does it. It follows
 * the audit, so every committed change is an event and no other is; a process that dies in between sends again what it
 * has not written down as received. At least once, under an id by which a receiver tells what it has already.
 */
import { z } from 'zod'
import { webhook, WEBHOOK_SECRET } from '../../config/schema/webhook.ts'
import { isUnavailable } from '../../db/errors.ts'
import { createLease, LeaseLostError } from '../../db/lease.ts'
import { createBackgroundLoop } from '../background-loop.ts'
import type { Control } from '../control.ts'
import { ControlError } from '../control-error.ts'
import { documentOf } from '../resources/resource-view.ts'
import { withSecrets } from '../secrets/secret-values.ts'
import { settleDelivery, type Delivery } from './delivery-store.ts'
import { sendWebhook, type Sent } from './send-webhook.ts'
import { signWebhook } from './sign-webhook.ts'
import { findHooks, isEnabled, takeUp, type Hook } from './take-up-events.ts'
import { createWebhookSlots } from './webhook-slots.ts'

const signing = z.object({ secrets: z.array(z.string().regex(WEBHOOK_SECRET)) })

const TICK_MS = 1_000
const LEASE_MS = 30_000
const RENEW_MS = 10_000

export interface WebhookWorker {
  /** Takes up what has happened and begins to send what is due. */
  tick(): Promise<void>
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
  /** Begins to do so every second. */
  start(): void
  close(): Promise<void>
}

export function createWebhookWorker(control: Control, holder: string): WebhookWorker {
  const { database, clock, log } = control
  const lease = createLease(database, 'webhooks', clock, { holder, durationMs: LEASE_MS })
  const slots = createWebhookSlots()
  const closing = new AbortController()
  let renewedAtMs = -Infinity

  const holds = async (): Promise<boolean> => {
    if (lease.isHeld() && clock.monotonicMs() - renewedAtMs < RENEW_MS) return true
    const isHeld = await lease.acquire()
    if (isHeld) renewedAtMs = clock.monotonicMs()
    return isHeld
  }
  const deliver = async (hook: Hook, delivery: Delivery): Promise<void> => {
    const outcome = await send(control, hook, delivery, closing.signal)
    // What was broken off by the end of this process is sent again by the next one.
    if (closing.signal.aborted) return
    const isOff = await database.write((db) => settleDelivery(db, delivery, outcome, clock.now()))
    if (isOff) log.warn({ webhook: delivery.webhook_id, detail: outcome.detail }, 'a webhook was switched off')
  }
  const begin = async (hook: Hook): Promise<void> => {
    const room = slots.room(hook)
    if (room === 0) return
    for (const delivery of await findDue(control, hook.webhook_id, slots.ids(), room)) {
      const done = deliver(hook, delivery).catch((cause: unknown) =>
        log.error({ err: cause }, 'the store did not answer for a webhook, which is sent again'),
      )
      slots.hold(hook, delivery.id, done)
    }
  }
  const tick = async (): Promise<void> => {
    if (closing.signal.aborted || !(await holds())) return
    const hooks = await findHooks(control)
    const last = await database.read
      .selectFrom('audit')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    await serveEach(slots.order(hooks), async (hook) => {
      if (!isEnabled(hook)) return
      if (hook.seq < (last?.seq ?? 0)) await takeUp(control, hook, last?.seq ?? 0, lease)
      await begin(hook)
    })
  }
  const loop = createBackgroundLoop({ what: 'webhooks', everyMs: TICK_MS, log, run: tick })
  return {
    tick,
    idle: () => slots.idle(),
    start: loop.start,
    async close() {
      closing.abort()
      await loop.stop()
      await slots.idle()
      // The store may be gone already, and then the lease ends by itself.
      await lease.release().catch(() => undefined)
    },
  }
}

/** All have their turn, also when one cannot be served: the others may be of other tenants. */
async function serveEach(hooks: readonly Hook[], serve: (hook: Hook) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  for (const hook of hooks) {
    try {
      await serve(hook)
    } catch (cause) {
      if (cause instanceof LeaseLostError || isUnavailable(cause)) throw cause
      failures.push(cause)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'these webhooks are not told of what happens')
}

function findDue({ database, clock }: Control, webhookId: string, without: readonly string[], limit: number) {
  let due = database.read
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'pending')
    .where('next_at_ms', '<=', clock.now())
  if (without.length > 0) due = due.where('id', 'not in', without)
  return due.orderBy('seq').limit(limit).execute()
}

async function send(control: Control, hook: Hook, delivery: Delivery, signal: AbortSignal): Promise<Sent> {
  const { clock, log, allowPrivateAddresses = false } = control
  try {
    const { url, ...given } = webhook.parse(documentOf({ id: hook.webhook_id, spec: hook.spec }))
    const secrets = await findSecrets(control, hook, given)
    // An operator sees it in the log of deliveries.
    if (secrets === undefined) return { status: undefined, detail: 'The webhook has no secret that can sign.' }
    const { id, body } = delivery
    const fields = signWebhook({ id, timestamp: Math.floor(clock.now() / 1_000), body }, secrets)
    return await sendWebhook(new URL(url), fields, body, { allowPrivateAddresses, signal })
  } catch (cause) {
    // Nothing was tried yet, so nothing is written down.
    if (isUnavailable(cause)) throw cause
    log.error({ err: cause, webhook: hook.webhook_id }, 'a webhook could not be made ready')
    return { status: undefined, detail: 'It could not be made ready: a fault of Headgate, whose log has the cause.' }
  }
}

/** Undefined when one has no value, or one that is none of a webhook. */
async function findSecrets(
  control: Control,
  hook: Hook,
  { secret, previousSecret }: Pick<z.output<typeof webhook>, 'secret' | 'previousSecret'>,
): Promise<readonly string[] | undefined> {
  const workspace = { id: hook.workspace_id, name: hook.workspace }
  const given = [secret, previousSecret].filter((each) => each !== undefined)
  try {
    // These alone: whatever else were put together from secrets would tell them to the receiver.
    const opened = await withSecrets(control.database.read, control, workspace, { secrets: given })
    return signing.safeParse(opened).data?.secrets
  } catch (error) {
    // What is refused there is a secret that nobody has set.
    if (error instanceof ControlError) return undefined
    throw error
  }
}
