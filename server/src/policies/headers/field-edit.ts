/** Changes to a list of fields, in this order: remove, rename, set, add. */
import { z } from 'zod'
import type { Exchange } from '../../kernel/exchange.ts'
import { fieldName, isCodecField, isFieldValue, removeDisguised, whyUnchangeable } from '../../kernel/field-syntax.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { PolicyCheck } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import { checkText, compileText, textValue, type TextRule, type TextValue } from '../../kernel/text-value.ts'

export const fieldEdit = z.strictObject({
  remove: z
    .array(fieldName)
    .max(100)
    .default([])
    .meta({ title: 'Remove', description: 'Fields to take away; `x-internal-*` means all that begin so.' }),
  rename: z
    .record(fieldName, fieldName)
    .default({})
    .meta({ title: 'Rename', description: 'New names by old ones; a field that has the new name already gives way.' }),
  set: z
    .record(fieldName, textValue)
    .default({})
    .meta({ title: 'Set', description: 'Values by name; the field has this one value afterwards.' }),
  add: z
    .record(fieldName, textValue)
    .default({})
    .meta({ title: 'Add', description: 'Values by name, added to those that the field has.' }),
})
export type FieldEdit = z.output<typeof fieldEdit>

const valueRule: TextRule = {
  name: 'a field value: it has a control character or one beyond ISO 8859-1',
  accepts: isFieldValue,
}

type Change = (fields: Fields, exchange: Exchange) => void

/** What an edit of a request takes away besides: fields in whose place others were meant to be changed. */
export function toDisguiseRemoval({ remove, rename, set, add }: FieldEdit): Change {
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase())
  const gone = lower([...remove, ...Object.values(rename), ...Object.keys(set)])
  const names = new Set(gone)
  const prefixes = gone.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  const named = new Set(lower([...Object.keys(rename), ...Object.keys(add)]))
  const isMeant = (plainName: string, name: string): boolean =>
    !named.has(name) && (names.has(plainName) || prefixes.some((prefix) => plainName.startsWith(prefix)))
  return (fields) => removeDisguised(fields, isMeant)
}

/** Whether a field of this name, or of one that some servers read alike, is one of those that an edit is about. */
export function toClaim({ remove, rename, set, add }: FieldEdit): (name: string) => boolean {
  const all = [...remove, ...Object.entries(rename).flat(), ...Object.keys(set), ...Object.keys(add)]
  const names = new Set(all.map((name) => name.toLowerCase().replaceAll('_', '-')))
  const prefixes = [...names].filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  return (name) => {
    const plainName = name.replaceAll('_', '-')
    return names.has(plainName) || prefixes.some((prefix) => plainName.startsWith(prefix))
  }
}

/** Compiles the changes; the function throws an ExpressionFault for a computed value that no field can have. */
export function compileEdit(edit: FieldEdit, services: PolicyServices): Change {
  const changes: Change[] = [
    ...edit.remove.map(toRemoval),
    ...Object.entries(edit.rename).map(([from, to]) => toRenaming(from.toLowerCase(), to.toLowerCase())),
    ...toWriting(edit.set, services, (fields, name, value) => fields.set(name, value)),
    ...toWriting(edit.add, services, (fields, name, value) => fields.append(name, value)),
  ]
  return (fields, exchange) => {
    for (const change of changes) change(fields, exchange)
  }
}

function toRemoval(pattern: string): Change {
  const name = pattern.toLowerCase()
  if (!name.endsWith('*')) return (fields) => fields.remove(name)
  const prefix = name.slice(0, -1)
  return (fields) => {
    for (const each of new Set(fields.names)) if (each.startsWith(prefix) && !isCodecField(each)) fields.remove(each)
  }
}

function toRenaming(from: string, to: string): Change {
  return (fields) => {
    if (!fields.has(from)) return
    fields.remove(to)
    fields.rename(from, to)
  }
}

function toWriting(
  values: Readonly<Record<string, TextValue>>,
  services: PolicyServices,
  write: (fields: Fields, name: string, value: string) => void,
): Change[] {
  return Object.entries(values).map(([given, value]) => {
    const name = given.toLowerCase()
    const textOf = compileText(value, services, valueRule)
    return (fields, exchange) => write(fields, name, textOf(exchange))
  })
}

interface Mention {
  readonly path: readonly (string | number)[]
  readonly name: string
  readonly action: 'remove' | 'rename' | 'set' | 'add'
}

/** Reports what cannot be changed, what is said twice and what another change makes vain. */
export function checkEdit(edit: FieldEdit, direction: 'request' | 'response', check: PolicyCheck): void {
  const mentions = findMentions(edit)
  if (mentions.length === 0) check.report([direction], 'changes nothing')
  for (const [at, { path, name, action }] of mentions.entries()) {
    const report = (message: string): void => check.report([direction, ...path], message)
    const reason = whyUnchangeable(name, direction)
    if (reason !== undefined) report(reason)
    if (name === '*') report('would take every field away: say how the names begin')
    if (mentions.some((other, before) => before < at && other.name === name && other.action === action))
      report(`${name} is named twice`)
    if (action !== 'remove') continue
    const later = mentions.find((other) => other.name === name && (other.action === 'rename' || other.action === 'set'))
    if (later?.action === 'set') report(`has no effect, because \`set\` or \`rename\` replaces ${name} anyway`)
    if (later?.action === 'rename') report(`leaves no ${name} to be renamed`)
  }
  for (const key of ['set', 'add'] as const)
    for (const [name, value] of Object.entries(edit[key])) checkText(check, [direction, key, name], value, valueRule)
}

function findMentions({ remove, rename, set, add }: FieldEdit): Mention[] {
  const mentions: Mention[] = [
    ...remove.map((name, at) => ({ path: ['remove', at], name, action: 'remove' as const })),
    ...Object.keys(rename).map((from) => ({ path: ['rename', from], name: from, action: 'rename' as const })),
    ...Object.entries(rename).map(([from, to]) => ({ path: ['rename', from], name: to, action: 'set' as const })),
    ...Object.keys(set).map((name) => ({ path: ['set', name], name, action: 'set' as const })),
    ...Object.keys(add).map((name) => ({ path: ['add', name], name, action: 'add' as const })),
  ]
  return mentions.map((mention) => ({ ...mention, name: mention.name.toLowerCase() }))
}
