/** Checks documents of the shape of a headgate.yaml: large ones in a process of their own, so that nobody else waits for them. */
import type { RouteCount } from '../../config/compile-part.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import { refuseIssues } from '../snapshots/compile-lines.ts'
import { checkOrder, type CheckOrder, type CheckOutcome, type RoutePolicies } from './check-part.ts'
import { documentRefused } from './document-problems.ts'
import { inReviewChild, MOST_CHARS_AT_ONCE } from './in-review-child.ts'

type Checking = Pick<Call, 'control' | 'workspace'>
type Texts = ReadonlyMap<string, string>

/** How many routes each API has; `texts` are the OpenAPI documents that it names. Refuses with everything that is wrong. */
export async function countRoutes(call: Checking, document: JsonObject, texts: Texts): Promise<readonly RouteCount[]> {
  return (await check(call, { document: JSON.stringify(document), texts, route: undefined })).counts
}

/** The policies of the route of the document's one API; undefined when there is no such route. */
export async function findPolicies(
  call: Checking,
  document: JsonObject,
  texts: Texts,
  route: string,
): Promise<RoutePolicies | undefined> {
  return (await check(call, { document: JSON.stringify(document), texts, route })).shown
}

async function check(call: Checking, order: CheckOrder): Promise<Extract<CheckOutcome, { kind: 'right' }>> {
  const outcome = isSmall(order) ? checkOrder(order, call.control.policies) : await checkInChild(call, order)
  return outcome.kind === 'right' ? outcome : refuseIssues(outcome.issues)
}

function isSmall({ document, texts }: CheckOrder): boolean {
  return [document, ...texts.values()].reduce((chars, text) => chars + text.length, 0) <= MOST_CHARS_AT_ONCE
}

async function checkInChild(call: Checking, order: CheckOrder): Promise<CheckOutcome> {
  const result = await inReviewChild(call, 'check', order)
  if (result.kind === 'done') return result.outcome
  const detail = `The document ${result.why}.`
  return refuse(documentRefused({ detail, errors: [{ pointer: '', detail, remedy: 'Divide the document.' }] }))
}
