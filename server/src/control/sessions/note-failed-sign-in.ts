/** Which refusals are those of somebody who wanted to get in, wherever they come from. */
import { z } from 'zod'
import type { Problem } from '../../kernel/problem.ts'
import { ControlError } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import { noAccount, providerFailed, signInDelayed, signInFailed, WRONG_CODE } from './session-problems.ts'
import type { FailedSignIn } from './failed-sign-ins.ts'

const REASONS: ReadonlyMap<string, string> = new Map([
  [signInFailed.definition.code, 'password'],
  [signInDelayed.definition.code, 'delayed'],
  [providerFailed.definition.code, 'refused'],
  [noAccount.definition.code, 'no-account'],
])

const withEmail = z.object({ email: z.string() })
const withProvider = z.object({ provider: z.string() })

/** Notes it for the audit when the operation ended with such a refusal. */
export function noteFailedSignIn(call: Call, cause: unknown): void {
  if (!(cause instanceof ControlError)) return
  const { control, actor, address, requestId } = call
  const reason = toReason(cause.problem)
  const claimed = toClaimed(call)
  if (reason === undefined || claimed === undefined) return
  control.failures.note({ atMs: control.clock.now(), reason, claimed, actor: actor.id, address, requestId })
}

function toReason({ definition, cause }: Problem): string | undefined {
  return cause === WRONG_CODE ? 'code' : REASONS.get(definition.code)
}

function toClaimed({ actor, body, params }: Call): FailedSignIn['claimed'] | undefined {
  const email = withEmail.safeParse(body).data?.email.toLowerCase()
  const provider = withProvider.safeParse(params).data?.provider
  if (email !== undefined) return { by: 'email', email }
  if (provider !== undefined) return { by: 'provider', provider }
  return actor.userId === undefined ? undefined : { by: 'userId', userId: actor.userId }
}
