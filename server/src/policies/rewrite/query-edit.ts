import type { Exchange } from '../../kernel/exchange.ts'
import type { PolicyCheck } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import { withoutQueryNames } from '../../kernel/query.ts'
import { checkText, compileText, type TextValue } from '../../kernel/text-value.ts'

export interface QueryEdit {
  readonly remove: readonly string[]
  readonly set: Readonly<Record<string, TextValue>>
}

export function compileQuery(edit: QueryEdit, services: PolicyServices): (exchange: Exchange) => string | undefined {
  const names = new Set([...edit.remove, ...Object.keys(edit.set)])
  const additions = Object.entries(edit.set).map(([name, value]) => {
    return { name: encode(name), textOf: compileText(value, services) }
  })
  return (exchange) => {
    // Values first: they may read the parameters that go.
    const written = additions.map(({ name, textOf }) => `${name}=${encode(textOf(exchange))}`)
    const given = exchange.request.query
    const query = given === undefined ? undefined : withoutQueryNames(given, names)
    if (written.length === 0) return query
    return query === undefined || query === '' ? written.join('&') : `${query}&${written.join('&')}`
  }
}

export function checkQuery(edit: QueryEdit, check: PolicyCheck): void {
  if (edit.remove.length + Object.keys(edit.set).length === 0) check.report(['query'], 'changes nothing')
  for (const [at, name] of edit.remove.entries())
    if (Object.hasOwn(edit.set, name))
      check.report(['query', 'remove', at], `has no effect, because \`set\` replaces ${name} anyway`)
  for (const [name, value] of Object.entries(edit.set)) checkText(check, ['query', 'set', name], value)
}

/** Half a surrogate pair, which a claim may hold, cannot be encoded: it becomes the replacement character. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
