/**
 * Guards what runs in an environment that asks for approval against changes that no deployment brings, and so nobody
 * approves: those who deploy could else change it alone, by an upstream or a policy of theirs.
 */
import { defineProblem } from '../../kernel/problem.ts'
import { refuse } from '../control-error.ts'
import type { Write } from '../define-route.ts'

export const guarded = defineProblem({
  code: 'environment.guarded',
  status: 403,
  title: 'The environment asks for approval',
  blame: 'caller',
  remedy:
    'Ask somebody with the permission `deployments.approve` to make this change, or make it for another environment alone.',
})

/** Refuses whoever may not approve; `environment` is one that asks for approval. */
export function checkGuarded(write: Pick<Write, 'may'>, environment: string): void {
  if (write.may('deployments.approve')) return
  refuse(
    guarded({
      detail: `It would change at once what runs in ${environment}: this needs the permission deployments.approve.`,
    }),
  )
}
