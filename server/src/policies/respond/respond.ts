/** Answers by itself: maintenance pages, redirects, fixed documents such as robots.txt, closed doors. */
import { z } from 'zod'
import { fieldName, isFieldValue, whyUnchangeable } from '../../kernel/field-syntax.ts'
import { Fields } from '../../kernel/fields.ts'
import { definePolicy, type PolicyInstance } from '../../kernel/policy.ts'
import { checkText, compileText, textValue, type TextRule } from '../../kernel/text-value.ts'

const valueRule: TextRule = { name: 'a field value', accepts: isFieldValue }

/** Statuses whose answers never have a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const bodiless = new Set([204, 205, 304])

export const respond = definePolicy({
  kind: 'respond',
  title: 'Respond',
  summary: 'Answers the request by itself; no upstream is called.',
  stability: 'stable',
  answersAlways: true,
  config: z.strictObject({
    status: z.int().min(200).max(599).default(200).meta({ title: 'Status', description: 'Status of the answer.' }),
    headers: z
      .record(fieldName, textValue)
      .default({})
      .meta({ title: 'Headers', description: 'Fields of the answer by name.' }),
    body: textValue
      .optional()
      .meta({ title: 'Body', description: 'Text of the answer; `text/plain` unless `headers` says otherwise.' }),
    json: z
      .json()
      .optional()
      .meta({ title: 'JSON', description: 'Any value, answered as `application/json` instead of a text.' }),
  }),
  examples: [
    {
      title: 'Maintenance',
      config: { status: 503, headers: { 'retry-after': '600' }, json: { message: 'Back in ten minutes.' } },
    },
    {
      title: 'Moved',
      config: { status: 308, headers: { location: { expression: "'https://api.example.com' + request.path" } } },
    },
  ],
  problems: [],

  check({ status, headers, body, json }, check) {
    if (body !== undefined && json !== undefined)
      check.report(['json'], 'has no effect beside `body`: give one of them')
    if (bodiless.has(status) && (body !== undefined || json !== undefined))
      check.report([body === undefined ? 'json' : 'body'], `has no effect, because a ${status} has no body`)
    if (body !== undefined) checkText(check, ['body'], body)
    const named = new Set<string>()
    for (const [name, value] of Object.entries(headers)) {
      const lower = name.toLowerCase()
      const reason = whyUnchangeable(lower, 'response')
      if (reason !== undefined) check.report(['headers', name], reason)
      if (named.has(lower)) check.report(['headers', name], `${lower} is named twice`)
      named.add(lower)
      checkText(check, ['headers', name], value, valueRule)
    }
  },

  setup({ status, headers, body, json }, services): PolicyInstance {
    const fields = Object.entries(headers).map(([name, value]) => {
      return { name: name.toLowerCase(), textOf: compileText(value, services, valueRule) }
    })
    const contentType = json === undefined ? 'text/plain; charset=utf-8' : 'application/json'
    const hasType = fields.some(({ name }) => name === 'content-type')
    const text = json === undefined ? body : JSON.stringify(json)
    const bytes = typeof text === 'string' ? Buffer.from(text) : undefined
    const textOf = text === undefined || typeof text === 'string' ? undefined : compileText(text, services)
    return {
      request(exchange) {
        const reply = { status, fields: new Fields(), body: bytes ?? (textOf && Buffer.from(textOf(exchange))) }
        if (reply.body !== undefined && !hasType) reply.fields.append('content-type', contentType)
        for (const field of fields) reply.fields.append(field.name, field.textOf(exchange))
        return reply
      },
    }
  },
})
