/** What `validate-request` says of a request, as short texts. */
import type { JsonObject, JsonValue } from '../src/kernel/json.ts'
import { Problem } from '../src/kernel/problem.ts'
import { validateRequest } from '../src/policies/validate-request/validate-request.ts'
import { testExchange, type TestExchangeOptions } from './test-exchange.ts'
import { runPolicy } from './test-services.ts'

/** What the policy says of a request: `ok`, or the code and the errors as `pointer detail`. */
export async function judge(
  operation: JsonObject,
  request: TestExchangeOptions,
  config: unknown = {},
): Promise<string | string[]> {
  const exchange = testExchange({ method: 'POST', ...request, route: { operation } })
  const { answer } = await runPolicy(validateRequest, config, exchange)
  if (answer === undefined) return 'ok'
  if (!(answer instanceof Problem)) throw new Error('The policy answered with a reply')
  if (answer.errors === undefined) return [answer.definition.code, answer.detail ?? ''].join(' ').trim()
  return answer.errors.map(({ pointer, detail }) => `${pointer} ${detail}`)
}

export const json = { 'content-type': 'application/json' }

export function withBody(schema: JsonValue, more: JsonObject = {}): JsonObject {
  return { requestBody: { required: true, content: { 'application/json': { schema } } }, ...more }
}

export function judgeBody(schema: JsonValue, value: JsonValue, config: unknown = {}): Promise<string | string[]> {
  return judge(withBody(schema), { headers: json, body: JSON.stringify(value) }, config)
}

export function judgeQuery(parameter: JsonObject, query: string, config: unknown = {}): Promise<string | string[]> {
  return judge({ parameters: [{ name: 'p', in: 'query', ...parameter }] }, { query }, config)
}
