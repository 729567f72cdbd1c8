/** Checks documents of the shape of a headgate.yaml so that nobody waits for it: in slices, or in a process of its own. */
import type { RouteCount } from '../../config/compile-part.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import { refuseIssues } from '../snapshots/compile-lines.ts'
import { checkOrder, type CheckOrder, type CheckOutcome, type RoutePolicies } from './check-part.ts'
import { documentRefused } from './document-problems.ts'
import { inReviewChild, MOST_CHARS_AT_ONCE } from './in-review-child.ts'
import { runInSlices } from './run-in-slices.ts'

/** Of all parts together; what looks at all of them in one step takes some tenths of a second for so many. */
const MOST_CHARS_HERE = 8 * 1024 * 1024
/** Of work; twenty thousand routes with as many consumers take less than half a second. */
const MOST_MS_HERE = 2_000

type Checking = Pick<Call, 'control' | 'workspace'>
type Texts = ReadonlyMap<string, string>

/** How many routes each API has; `texts` are the OpenAPI documents that it names. Refuses with everything that is wrong. */
export async function countRoutes(call: Checking, document: JsonObject, texts: Texts): Promise<readonly RouteCount[]> {
  return (await check(call, { document, texts, route: undefined })).counts
}

/** The policies of the route of the document's one API; undefined when there is no such route. */
export async function findPolicies(
  call: Checking,
  document: JsonObject,
  texts: Texts,
  route: string,
): Promise<RoutePolicies | undefined> {
  return (await check(call, { document, texts, route })).shown
}

async function check(call: Checking, order: CheckOrder): Promise<Extract<CheckOutcome, { kind: 'right' }>> {
  const outcome = (await checkHere(call, order)) ?? (await checkInChild(call, order))
  return outcome.kind === 'right' ? outcome : refuseIssues(outcome.issues)
}

/**
 * A whole installation takes as much memory again in another process, so it stays here and is checked between other work.
 * Undefined: that would keep others waiting, or takes so long that only bounds from outside help.
 */
async function checkHere({ control }: Checking, order: CheckOrder): Promise<CheckOutcome | undefined> {
  return isOfSmallParts(order) ? runInSlices(checkOrder(order, control.policies), MOST_MS_HERE) : undefined
}

/** Whether the steps of its check are short. */
function isOfSmallParts({ document, texts }: CheckOrder): boolean {
  let chars = 0
  for (const part of listParts(document, texts)) {
    if (part.length > MOST_CHARS_AT_ONCE) return false
    chars += part.length
  }
  return chars <= MOST_CHARS_HERE
}

/** What a step looks at: a document, an entry of a list of things, or something else as a whole. */
function* listParts(document: JsonObject, texts: Texts): Generator<string> {
  yield* texts.values()
  for (const [key, value] of Object.entries(document)) {
    const parts = Array.isArray(value) && key !== 'policies' ? value : [value]
    for (const part of parts) yield JSON.stringify(part ?? null)
  }
}

async function checkInChild(call: Checking, order: CheckOrder): Promise<CheckOutcome> {
  const result = await inReviewChild(call, 'check', { ...order, document: JSON.stringify(order.document) })
  if (result.kind === 'done') return result.outcome
  const detail = `The document ${result.why}.`
  return refuse(documentRefused({ detail, errors: [{ pointer: '', detail, remedy: 'Divide the document.' }] }))
}
