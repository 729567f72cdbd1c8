/** People for tests of the control plane: accounts with a role and a token of their own. */
import { BUILT_IN_ROLES, PERMISSIONS } from '../src/control/permissions.ts'
import type { TestControl } from './test-control.ts'

export interface Person {
  readonly userId: string
  readonly token: string
}

let count = 0

/** An account with a role in a workspace (none: everywhere), and a token for all that it may do. */
export async function createPerson({ done, call }: TestControl, role: string, workspace?: string): Promise<Person> {
  const user = await done('POST', '/users', { email: `person-${++count}@example.com`, name: `Person ${count}` })
  const userId = textOf(user['id'])
  const members = workspace === undefined ? '/members' : `/workspaces/${workspace}/members`
  await done('POST', members, { userId, role })
  const scopes = BUILT_IN_ROLES[role]?.permissions ?? PERMISSIONS
  const answer = await call('POST', `/users/${userId}/tokens`, { body: { name: 'test', scopes } })
  return { userId, token: textOf(answer.body['token']) }
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError(`this is no text: ${JSON.stringify(value)}`)
}
