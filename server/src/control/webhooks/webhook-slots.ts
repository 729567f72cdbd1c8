/**
 * Who of those that wait may send next. Receivers are slow at will, so deliveries under way are bounded for one webhook,
 * for one workspace and for all, and a place that becomes free goes to the workspace that holds the fewest.
 */

/** Deliveries under way at once: to one receiver, of one workspace, and to all. */
const MOST_FOR_ONE = 4
const MOST_FOR_WORKSPACE = 8
const MOST_AT_ONCE = 32

interface Holder {
  readonly webhook_id: string
  readonly workspace_id: string
}

interface UnderWay extends Holder {
  readonly done: Promise<void>
}

interface WebhookSlots {
  /** In the order in which they are served, which no webhook is the first of each time. */
  order<Each extends Holder>(hooks: readonly Each[]): readonly Each[]
  /** How many more it may begin. */
  room(hook: Holder): number
  /** Ids of the deliveries under way. */
  ids(): string[]
  /** Held until `done`, which never rejects. */
  hold(hook: Holder, id: string, done: Promise<void>): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function createWebhookSlots(): WebhookSlots {
  const underWay = new Map<string, UnderWay>()
  let turn = 0
  const count = (isMeant: (each: UnderWay) => boolean): number => [...underWay.values()].filter(isMeant).length
  const countWorkspace = (id: string): number => count((each) => each.workspace_id === id)
  return {
    order(hooks) {
      const first = turn++ % Math.max(hooks.length, 1)
      // Sorting is stable: among workspaces that hold as many, it is who comes first by turns.
      return [...hooks.slice(first), ...hooks.slice(0, first)]
        .map((hook) => ({ hook, held: countWorkspace(hook.workspace_id) }))
        .toSorted((a, b) => a.held - b.held)
        .map(({ hook }) => hook)
    },
    room({ webhook_id: webhookId, workspace_id: workspaceId }) {
      const ofHook = MOST_FOR_ONE - count((each) => each.webhook_id === webhookId)
      const ofWorkspace = MOST_FOR_WORKSPACE - countWorkspace(workspaceId)
      return Math.max(0, Math.min(ofHook, ofWorkspace, MOST_AT_ONCE - underWay.size))
    },
    ids: () => [...underWay.keys()],
    hold({ webhook_id, workspace_id }, id, done) {
      underWay.set(id, { webhook_id, workspace_id, done: done.finally(() => underWay.delete(id)) })
    },
    async idle() {
      while (underWay.size > 0) await Promise.all([...underWay.values()].map(({ done }) => done))
    },
  }
}
