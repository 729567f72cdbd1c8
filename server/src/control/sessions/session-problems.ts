/** What is answered to those who do not get in. */
import { defineProblem, type Problem, type ProblemOptions } from '../../kernel/problem.ts'

export const signInFailed = defineProblem({
  code: 'sign_in.failed',
  status: 401,
  title: 'Not signed in',
  blame: 'caller',
  remedy:
    'Check address, password and code. The same is answered for an account that does not exist, is disabled or has no password.',
})

/** The cause of a refusal: the password was right, and the code was not. Only the audit says so. */
export const WRONG_CODE = 'wrong code'

export function wrongCode(options: ProblemOptions = {}): Problem {
  return signInFailed({ ...options, cause: WRONG_CODE })
}

export const codeNeeded = defineProblem({
  code: 'sign_in.code_needed',
  status: 401,
  title: 'A code is needed',
  blame: 'caller',
  remedy: 'Send the `code` of your authenticator, or a recovery code, with address and password.',
})

export const signInDelayed = defineProblem({
  code: 'sign_in.delayed',
  status: 429,
  title: 'Too many attempts',
  blame: 'caller',
  remedy:
    'Wait as long as `Retry-After` says. Each further failure doubles the time, up to a bound; an invitation by an admin opens the account at once.',
})

export const foreignOrigin = defineProblem({
  code: 'sign_in.foreign_origin',
  status: 403,
  title: 'Not sent by a page of this control plane',
  blame: 'caller',
  remedy:
    'Writes with a session cookie need the same origin and the field `x-headgate-csrf` with the token of the session. Programs use tokens instead. Behind a proxy set `HEADGATE_CONTROL_PUBLIC_URL`.',
})

export const sessionNeeded = defineProblem({
  code: 'sign_in.session_needed',
  status: 403,
  title: 'Only for somebody who signed in',
  blame: 'caller',
  remedy: 'Sign in with address and password or with your identity provider; a token cannot do this.',
})

export const badInvitation = defineProblem({
  code: 'sign_in.bad_invitation',
  status: 403,
  title: 'The invitation is not valid',
  blame: 'caller',
  remedy:
    'An invitation is good once, for a limited time, until the password is changed, and while whoever made it may do all that the account may. Ask for a new one.',
})

export const signInBusy = defineProblem({
  code: 'sign_in.busy',
  status: 503,
  title: 'Too many passwords are being checked',
  blame: 'caller',
  remedy: 'Try again in a few seconds.',
})

export const totpNeeded = defineProblem({
  code: 'sign_in.totp_needed',
  status: 403,
  title: 'Set up TOTP first',
  blame: 'caller',
  remedy:
    'This installation demands a second factor: begin at `POST /api/v1/users/me/totp`, confirm with a first code.',
})

export const providerFailed = defineProblem({
  code: 'sign_in.provider_failed',
  status: 401,
  title: 'The identity provider did not let you in',
  blame: 'caller',
  remedy:
    'Begin again. When it stays so, the log of the control plane says why the answer of the provider was refused.',
})

export const noAccount = defineProblem({
  code: 'sign_in.no_account',
  status: 403,
  title: 'There is no account for you',
  blame: 'caller',
  remedy: 'Ask an admin for an account, or the owner whether the provider may create or link accounts.',
})

export const noPublicUrl = defineProblem({
  code: 'sign_in.no_public_url',
  status: 503,
  title: 'The public address is not set',
  blame: 'operator',
  remedy:
    'Set `HEADGATE_CONTROL_PUBLIC_URL` to where browsers reach the control plane: providers send them back there.',
})
