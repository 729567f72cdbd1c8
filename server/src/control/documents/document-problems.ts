/** Why a document is not taken or not published. Each entry of `errors` names its rule, its place and its remedy. */
import { defineProblem } from '../../kernel/problem.ts'

export const documentRefused = defineProblem({
  code: 'documents.refused',
  status: 422,
  title: 'The OpenAPI document cannot be imported',
  blame: 'caller',
  remedy:
    'Each entry of `errors` has the `rule`, a JSON pointer into the document and the `remedy`; the rules stand in the reference of importing.',
})

export const lintRefused = defineProblem({
  code: 'documents.lint_refused',
  status: 422,
  title: 'The OpenAPI document breaks rules that refuse it',
  blame: 'caller',
  remedy:
    'Mend what `errors` points at, or change `lint` of the workspace: `refuseAt` says which severity refuses, `ruleset` which rules there are. `headgate lint` says the same before publishing.',
})

export const breakingRefused = defineProblem({
  code: 'documents.breaking',
  status: 409,
  title: 'The change breaks those who call this version',
  blame: 'caller',
  remedy:
    'Publish it as another version, or send `allowBreaking` with the reason, which the audit keeps. `errors` lists what breaks.',
})

export const documentsBusy = defineProblem({
  code: 'documents.busy',
  status: 503,
  title: 'Too many documents are being worked on',
  blame: 'caller',
  remedy:
    'Send it again when `Retry-After` says; nothing was changed. Documents that are large or fetched, and reviews by a ruleset of a workspace, wait for each other.',
})

export const rulesetRefused = defineProblem({
  code: 'documents.ruleset_refused',
  status: 422,
  title: 'The lint ruleset cannot be used',
  blame: 'caller',
  remedy: 'Mend what `errors` points at: pointers lead into the ruleset.',
})

export const workspaceFull = defineProblem({
  code: 'documents.workspace_full',
  status: 409,
  title: 'The workspace keeps as many bytes of documents as it may',
  blame: 'caller',
  remedy:
    'Nothing was changed. Remove versions that nobody needs: `errors` names those that keep the most, and with a version go its draft and its revisions. Or have the operator raise HEADGATE_WORKSPACE_DOCUMENT_MB.',
})
