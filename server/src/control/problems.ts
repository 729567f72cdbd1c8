/** Problems that many operations of the admin API share; those of one noun stand beside it. */
import { defineProblem } from '../kernel/problem.ts'

export const unauthenticated = defineProblem({
  code: 'admin.unauthenticated',
  status: 401,
  title: 'Not signed in',
  blame: 'caller',
  remedy: 'Send `Authorization: Bearer <token>`, or sign in. The token may be unknown, expired or revoked.',
})

export const forbidden = defineProblem({
  code: 'admin.forbidden',
  status: 403,
  title: 'Not permitted',
  blame: 'caller',
  remedy: 'Ask an admin of the workspace for a role with the permission that the answer names.',
})

export const notFound = defineProblem({
  code: 'admin.not_found',
  status: 404,
  title: 'Not found',
  blame: 'caller',
  remedy: 'Check the path and the name. What you may not see is answered in the same way.',
})

export const methodNotAllowed = defineProblem({
  code: 'admin.method_not_allowed',
  status: 405,
  title: 'Method not allowed',
  blame: 'caller',
  remedy: 'Use one of the methods that the `Allow` field of the answer lists.',
})

export const invalid = defineProblem({
  code: 'admin.invalid',
  status: 422,
  title: 'Invalid input',
  blame: 'caller',
  remedy: 'Mend what `errors` points at: each entry has a JSON pointer into the body, or names a parameter.',
})

export const unreadable = defineProblem({
  code: 'admin.unreadable',
  status: 400,
  title: 'The body cannot be read',
  blame: 'caller',
  remedy: 'Send JSON (RFC 8259) in UTF-8 with `Content-Type: application/json`.',
})

export const tooLarge = defineProblem({
  code: 'admin.too_large',
  status: 413,
  title: 'The body is too large',
  blame: 'caller',
  remedy: 'Send less in one request; the answer says how much is taken.',
})

export const taken = defineProblem({
  code: 'admin.taken',
  status: 409,
  title: 'The name is taken',
  blame: 'caller',
  remedy: 'Choose another name, or change the thing that has it.',
})

export const inUse = defineProblem({
  code: 'admin.in_use',
  status: 409,
  title: 'Something still uses it',
  blame: 'caller',
  remedy: 'Change or remove what the answer names first.',
})

export const preconditionRequired = defineProblem({
  code: 'admin.precondition_required',
  status: 428,
  title: 'If-Match is missing',
  blame: 'caller',
  remedy: 'Read the thing, then send its `ETag` as `If-Match` with the change, so that no other change is lost.',
})

export const preconditionFailed = defineProblem({
  code: 'admin.precondition_failed',
  status: 412,
  title: 'It was changed meanwhile',
  blame: 'caller',
  remedy: 'Read it again, apply your change to what stands there now, and send the new `ETag` as `If-Match`.',
})

export const idempotencyMismatch = defineProblem({
  code: 'admin.idempotency_mismatch',
  status: 422,
  title: 'The Idempotency-Key was used for another request',
  blame: 'caller',
  remedy: 'Send a new `Idempotency-Key` for a new request.',
})

export const storeUnavailable = defineProblem({
  code: 'admin.store_unavailable',
  status: 503,
  title: 'The store does not answer',
  blame: 'operator',
  remedy: 'Try again; nothing was changed. See `headgate doctor` for the state of the database.',
})

export const internal = defineProblem({
  code: 'admin.internal',
  status: 500,
  title: 'Internal error',
  blame: 'gateway',
  remedy: 'A fault of Headgate. Its log has the cause under the id of the request; nothing was changed.',
})
