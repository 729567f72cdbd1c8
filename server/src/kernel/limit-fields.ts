/**
 * The response fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11): what the limit is, and
 * what is left of it. Several limits of one exchange are members of one list.
 */
import { z } from 'zod'
import type { Exchange } from './exchange.ts'

const POLICY_FIELD = 'ratelimit-policy'
const LIMIT_FIELD = 'ratelimit'

/** Key of a configuration: the name of a limit, which clients see. */
export const limitName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]*$/, 'letters, digits, blanks, dots, dashes and underscores')

/** `policyParameters` and `limitParameters` are the members without their name, e.g. `;q=100;w=60` and `;r=50;t=30`. */
export function addLimitFields(
  exchange: Exchange,
  name: string,
  policyParameters: string,
  limitParameters: string,
): void {
  const fields = exchange.replyFields
  const before = fields?.get(LIMIT_FIELD)
  if (fields === undefined || before === undefined) {
    exchange.addReplyField(POLICY_FIELD, name + policyParameters)
    exchange.addReplyField(LIMIT_FIELD, name + limitParameters)
    return
  }
  const own = toUniqueName(name, before)
  fields.set(POLICY_FIELD, `${fields.get(POLICY_FIELD) ?? ''}, ${own}${policyParameters}`)
  fields.set(LIMIT_FIELD, `${before}, ${own}${limitParameters}`)
}

/** A client matches the two fields by name, so a name that is there already gets a number. */
function toUniqueName(name: string, before: string): string {
  let own = name
  for (let number = 2; before.includes(`${own};`); number++) own = `${name.slice(0, -1)}-${number}"`
  return own
}
