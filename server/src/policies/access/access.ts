/** Decides whether the one who is calling may: by scopes, roles, name or a condition. */
import { z } from 'zod'
import type { Exchange } from '../../kernel/exchange.ts'
import { definePolicy } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import type { Principal } from '../../kernel/principal.ts'
import { defineProblem, type Problem } from '../../kernel/problem.ts'

const unauthenticated = defineProblem({
  code: 'access.unauthenticated',
  status: 401,
  title: 'Authentication required',
  blame: 'caller',
  remedy: 'Send a credential: this part of the API is not open to anonymous callers, even where the rest of it is.',
})
const insufficientScope = defineProblem({
  code: 'access.insufficient_scope',
  status: 403,
  title: 'Scope missing',
  blame: 'caller',
  remedy:
    'Ask the authorization server for a token with the scopes in the detail, or the operator for a key that has them.',
})
const denied = defineProblem({
  code: 'access.denied',
  status: 403,
  title: 'Access denied',
  blame: 'caller',
  remedy:
    'The credential is valid, but its owner may not do this. The operator decides with the roles of the consumer and the `access` entry of the route.',
})

const names = z.array(z.string().min(1).max(256)).max(200)
const scopes = z.array(z.string().regex(/^[!#-[\]-~]+$/, 'a scope of RFC 6749: no blanks or quotes')).max(200)

const config = z.strictObject({
  allScopes: scopes.default([]).meta({ title: 'All scopes', description: 'The caller has every one of these scopes.' }),
  anyScope: scopes
    .default([])
    .meta({ title: 'Any scope', description: 'The caller has at least one of these scopes.' }),
  allRoles: names.default([]).meta({ title: 'All roles', description: 'The caller has every one of these roles.' }),
  anyRole: names.default([]).meta({ title: 'Any role', description: 'The caller has at least one of these roles.' }),
  consumers: names.default([]).meta({ title: 'Consumers', description: 'The caller is one of these consumers.' }),
  exceptConsumers: names
    .default([])
    .meta({ title: 'Except consumers', description: 'The caller is none of these consumers.' }),
  condition: z.string().min(1).optional().meta({
    title: 'Condition',
    description: 'CEL that has to be true, for example `principal.claims.tenant == request.parameters.tenant`.',
  }),
  challenge: z
    .string()
    .max(200)
    .regex(/^[A-Za-z][ -~]*$/, 'a challenge such as Bearer')
    .default('Bearer')
    .meta({
      title: 'Challenge',
      description: 'The `WWW-Authenticate` value for anonymous callers.',
    }),
})

export const access = definePolicy({
  kind: 'access',
  title: 'Access',
  summary: 'Lets in only callers with the right scopes, roles or names.',
  stability: 'stable',
  config,
  examples: [
    { title: 'A scope for writing', config: { allScopes: ['books:write'] } },
    { title: 'Administrators and the support team', config: { anyRole: ['admin', 'support'] } },
    {
      title: 'Every tenant its own books',
      config: { condition: 'principal.claims.tenant == request.parameters.tenant' },
    },
  ],
  problems: [unauthenticated, insufficientScope, denied],
  needs: ['principal'],

  check(config, check) {
    const { consumers, exceptConsumers, condition, challenge: _, ...lists } = config
    const rules = [...Object.values(lists), consumers, exceptConsumers]
    if (condition === undefined && rules.every((rule) => rule.length === 0)) {
      check.report([], 'lets in every caller: give scopes, roles, consumers or a condition')
    }
    for (const [at, name] of exceptConsumers.entries()) {
      if (consumers.includes(name))
        check.report(['exceptConsumers', at], `${name} is in \`consumers\` too: leave it out there`)
      else if (consumers.length > 0)
        check.report(['exceptConsumers', at], `${name} has no effect: \`consumers\` does not have it`)
    }
    if (condition !== undefined) check.expression(['condition'], condition, 'bool')
  },

  setup(config, services) {
    const rules = compileRules(config, services)
    const anonymous = unauthenticated({
      headers: { 'www-authenticate': config.challenge },
      detail: 'Anonymous callers are not let in here.',
    })
    return {
      request(exchange) {
        const { principal } = exchange
        if (principal === undefined) return anonymous
        for (const rule of rules) {
          if (!rule.holds(principal, exchange)) return rule.refusal
        }
        return undefined
      },
    }
  },
})

interface Rule {
  holds(principal: Principal, exchange: Exchange): boolean
  readonly refusal: Problem
}

/** Only the rules that were configured; their refusals are made once. What names they ask for is told of scopes alone. */
function compileRules(config: z.output<typeof access.config>, services: PolicyServices): Rule[] {
  const { allScopes, anyScope, allRoles, anyRole, condition } = config
  const consumers = new Set(config.consumers)
  const exceptConsumers = new Set(config.exceptConsumers)
  const holdsCondition = condition === undefined ? undefined : services.expression(condition, 'bool')
  const role = denied({ detail: 'The roles of the caller do not allow this.' })
  const consumer = denied({ detail: 'The caller is not among those who are let in here.' })
  const rules: (Rule | false)[] = [
    consumers.size > 0 && {
      holds: ({ consumer: name }) => name !== undefined && consumers.has(name),
      refusal: consumer,
    },
    exceptConsumers.size > 0 && {
      holds: ({ consumer: name }) => name === undefined || !exceptConsumers.has(name),
      refusal: consumer,
    },
    allScopes.length > 0 && {
      holds: (caller) => allScopes.every((scope) => caller.scopes.includes(scope)),
      refusal: lacksScope(allScopes, 'all'),
    },
    anyScope.length > 0 && {
      holds: (caller) => anyScope.some((scope) => caller.scopes.includes(scope)),
      refusal: lacksScope(anyScope, 'one'),
    },
    allRoles.length > 0 && { holds: (caller) => allRoles.every((each) => caller.roles.includes(each)), refusal: role },
    anyRole.length > 0 && { holds: (caller) => anyRole.some((each) => caller.roles.includes(each)), refusal: role },
    holdsCondition !== undefined && {
      holds: (_, exchange) => holdsCondition(exchange),
      refusal: denied({ detail: 'The request does not meet the condition for this.' }),
    },
  ]
  return rules.filter((rule) => rule !== false)
}

/** RFC 6750 §3.1: a client reads there which scopes to ask the authorization server for. */
function lacksScope(scopes: readonly string[], needed: 'all' | 'one'): Problem {
  const list = scopes.join(' ')
  return insufficientScope({
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${list}"` },
    detail: `The caller needs ${needed === 'all' ? 'the scopes' : 'one of the scopes'} ${list}.`,
  })
}
