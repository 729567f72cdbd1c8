/**
 * Runs an admin operation: who calls, what they may, what they send, one transaction with its audit entry, the answer.
 * Everything thrown below ends here, as a problem (RFC 9457), and nothing is half done.
 */
import { z } from 'zod'
import { isForeignKeyViolation, isUnavailable, isUniqueViolation } from '../db/errors.ts'
import { ControlError, refuse } from './control-error.ts'
import { maySee, may, type Actor } from './actor.ts'
import type { Control } from './control.ts'
import type { AdminRoute, Answer, Call, WorkspaceRef } from './define-route.ts'
import { recallAnswer, type Recalled } from './idempotency.ts'
import {
  forbidden,
  inUse,
  internal,
  invalid,
  notFound,
  preconditionRequired,
  storeUnavailable,
  taken,
} from './problems.ts'
import { parseInput } from './parse-input.ts'
import { noteFailedSignIn } from './sessions/note-failed-sign-in.ts'
import { totpNeeded } from './sessions/session-problems.ts'
import type { Visit } from './sessions/session-store.ts'
import { createWriter } from './write.ts'
import { findWorkspace } from './workspaces/find-workspace.ts'

/** A request as the server reads it. */
export interface Incoming {
  /** Says who calls; refuses with a problem. Asks the store, whose faults are answered as those of the operation. */
  identify(): Promise<Actor>
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Reads the body, once; undefined when there is none. */
  readBody(): Promise<unknown>
  readonly ifMatch: string | undefined
  readonly idempotencyKey: string | undefined
  readonly requestId: string
  readonly visit: Visit
  readonly signal: AbortSignal
}

const INSTALLATION: WorkspaceRef = { id: '', name: '' }
const nothing = z.strictObject({})

/** Answers, or throws a `ControlError`. */
export async function dispatch(control: Control, route: AdminRoute, incoming: Incoming): Promise<Answer<unknown>> {
  try {
    return await run(control, route, incoming)
  } catch (cause) {
    throw toControlError(cause)
  }
}

async function run(control: Control, route: AdminRoute, incoming: Incoming): Promise<Answer<unknown>> {
  const actor = await incoming.identify()
  if (actor.session?.needsTotp === true && typeof route.permission === 'string') refuse(totpNeeded())
  const workspace = await toWorkspace(control, route, incoming, actor)
  permit(route, actor, workspace)
  const { dryRun, ...query } = takeDryRun(route, incoming.query)
  // Only now: a body may be large, and who may do nothing here is not worth its memory.
  const given = await incoming.readBody()
  const call = {
    params: parseInput(route.params ?? nothing, withoutWorkspace(incoming.params), 'path'),
    query: parseInput(route.query ?? nothing, query, 'query'),
    body: route.body === undefined ? parseNoBody(given) : parseInput(route.body, given, ''),
    expectedVersion: toExpectedVersion(route, incoming.ifMatch),
  }
  const recalled = await recall(control, route, incoming, actor, given, dryRun)
  if (recalled?.answer !== undefined) return recalled.answer
  const { requestId, visit, signal } = incoming
  const { address } = visit
  const writer = createWriter({ control, route, actor, workspace, requestId, address, dryRun, recalled })
  const whole: Call = {
    ...call,
    given,
    control,
    actor,
    workspace,
    db: control.database.read,
    requestId,
    address,
    visit,
    signal,
    dryRun,
    write: (work) => writer.write(work),
  }
  const answer = await route.handle(whole).catch((cause: unknown): never => {
    if (route.effect !== 'read') noteFailedSignIn(whole, cause)
    throw cause
  })
  writer.check()
  return answer
}

async function toWorkspace(
  control: Control,
  route: AdminRoute,
  { params }: Incoming,
  actor: Actor,
): Promise<WorkspaceRef> {
  if (!route.path.includes('{workspace}')) return INSTALLATION
  const name = params['workspace'] ?? ''
  const workspace = await findWorkspace(control.database.read, name)
  if (workspace === undefined || !maySee(actor, workspace.id)) {
    refuse(notFound({ detail: `There is no workspace ${JSON.stringify(name)}.` }))
  }
  return workspace
}

function permit({ permission }: AdminRoute, actor: Actor, workspace: WorkspaceRef): void {
  if (typeof permission !== 'string') {
    if (permission.door === 'gateway' && actor.kind !== 'gateway') refuse(notFound())
    if (permission.door === 'signed-in' && actor.kind === 'gateway') refuse(forbidden())
    return
  }
  if (!may(actor, permission, workspace.id)) refuse(forbidden({ detail: `This needs the permission ${permission}.` }))
}

/** `?dryRun=true` belongs to every write and to no read. */
function takeDryRun(route: AdminRoute, { dryRun, ...query }: Readonly<Record<string, string>>) {
  if (dryRun === undefined) return { ...query, dryRun: false }
  if (route.effect !== 'read' && (dryRun === 'true' || dryRun === 'false'))
    return { ...query, dryRun: dryRun === 'true' }
  const detail = route.effect === 'read' ? 'a read has no dry run' : 'either true or false'
  return refuse(invalid({ errors: [{ pointer: 'query dryRun', detail }] }))
}

function withoutWorkspace(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== 'workspace'))
}

function parseNoBody(body: unknown): undefined {
  if (body === undefined) return undefined
  return refuse(invalid({ detail: 'This operation takes no body.' }))
}

/** `If-Match` (RFC 9110 §13.1.1) on what exists; our entity tags are the version of the thing, strong. */
function toExpectedVersion({ effect }: AdminRoute, ifMatch: string | undefined): number | undefined {
  if (effect !== 'change' && effect !== 'remove') return undefined
  if (ifMatch === undefined) return refuse(preconditionRequired())
  if (ifMatch.trim() === '*') return undefined
  const version = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch)?.[1]
  // Whatever else it is, it is no tag of ours, so it cannot match.
  return version === undefined ? -1 : Number(version)
}

function recall(
  control: Control,
  route: AdminRoute,
  { idempotencyKey, params }: Incoming,
  actor: Actor,
  body: unknown,
  dryRun: boolean,
): Promise<Recalled | undefined> {
  // Nobody in particular has no answers to be given again: they might be those of somebody else.
  const isKnown = idempotencyKey !== undefined && actor.kind !== 'anonymous'
  const isMeant = isKnown && !dryRun && (route.effect === 'create' || route.effect === 'action')
  return isMeant ? recallAnswer(control, actor, idempotencyKey, [route.id, params, body]) : Promise.resolve(undefined)
}

function toControlError(cause: unknown): ControlError {
  if (cause instanceof ControlError) return cause
  if (isUnavailable(cause)) return new ControlError(storeUnavailable({ cause }))
  // Two creations at the same moment: both looked, the second one finds the first when it writes.
  if (isUniqueViolation(cause)) return new ControlError(taken({ cause }))
  if (isForeignKeyViolation(cause)) return new ControlError(inUse({ cause }))
  return new ControlError(internal({ cause }))
}
