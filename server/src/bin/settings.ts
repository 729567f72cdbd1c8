/**
 * The settings of a process: a flag, else a variable of the environment, else a key of the settings file, else the
 * default. A wrong one stops the start with a sentence that says what to write.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type * as Yaml from 'yaml'
import { z } from 'zod'
import { loadWhenNeeded } from '../kernel/load-when-needed.ts'

const yaml = loadWhenNeeded<typeof Yaml>('yaml')

const port = z.int().min(0).max(65_535)

/** Keys are those of the settings file; flags are the same in kebab case, variables as given by `variable`. */
export const gatewayRoleSettings = z.strictObject({
  config: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Configuration file, or a directory of them.', variable: 'HEADGATE_CONFIG' }),
  controlUrl: z
    .string()
    .regex(
      /^https?:\/\/[^\s,/]+[^\s,]*(?:,https?:\/\/[^\s,/]+[^\s,]*)*$/,
      'write a URL such as https://control.example.com, several with commas',
    )
    .optional()
    .meta({
      description: 'Control plane to get the configuration from; the URLs of several processes with commas.',
      variable: 'HEADGATE_CONTROL_URL',
    }),
  nodeToken: z.string().min(1).optional().meta({
    description: 'Join token, needed at the first start with a control plane.',
    variable: 'HEADGATE_NODE_TOKEN',
  }),
  nodeKeyFile: z.string().min(1).optional().meta({
    description: 'Key that seals the snapshot kept in the data folder; by default ~/.config/headgate/node.key.',
    variable: 'HEADGATE_NODE_KEY_FILE',
  }),
  gatewayPort: port
    .default(8080)
    .meta({ description: 'Port for HTTP/1.1, HTTP/2, WebSocket and gRPC.', variable: 'HEADGATE_GATEWAY_PORT' }),
  gatewayTlsPort: port.default(8443).meta({
    description: 'The same with TLS, when the configuration has certificates.',
    variable: 'HEADGATE_GATEWAY_TLS_PORT',
  }),
  metricsPort: port
    .default(9464)
    .meta({ description: 'Port for /metrics, /healthz and /readyz.', variable: 'HEADGATE_METRICS_PORT' }),
  bind: z
    .string()
    .min(1)
    .default('::')
    .meta({ description: 'Address that the gateway listens on.', variable: 'HEADGATE_BIND' }),
  metricsBind: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta({ description: 'Address for metrics and health.', variable: 'HEADGATE_METRICS_BIND' }),
  workers: z
    .int()
    .min(1)
    .max(64)
    .default(Math.min(64, availableParallelism()))
    .meta({ description: 'Worker threads; by default one for each core.', variable: 'HEADGATE_WORKERS' }),
  dataDir: z
    .string()
    .min(1)
    .default('.headgate')
    .meta({ description: 'Folder for what is kept between starts.', variable: 'HEADGATE_DATA_DIR' }),
  debug: z
    .boolean()
    .default(false)
    .meta({ description: 'Every answer says which policies ran and what they decided.', variable: 'HEADGATE_DEBUG' }),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .meta({ description: 'Least level of events that are logged.', variable: 'HEADGATE_LOG_LEVEL' }),
})

export type GatewayRoleSettings = z.output<typeof gatewayRoleSettings>

export class SettingsError extends Error {}

type Values = Readonly<Record<string, unknown>>

/** Every setting with its flag, variable and description, for `--help` and the docs. */
export function listSettings(
  schema: z.ZodObject = gatewayRoleSettings,
): { key: string; flag: string; variable: string; description: string }[] {
  return Object.entries(schema.shape).map(([key, setting]) => {
    // The values of a shape are schemas.
    const { variable, description = '' } = (setting as z.ZodType).meta() ?? {}
    return { key, flag: `--${toKebab(key)}`, variable: String(variable), description }
  })
}

/** Puts the settings together; throws a SettingsError that names the flag, variable or key at fault. */
export function readSettings<Schema extends z.ZodObject>(
  schema: Schema,
  flags: Values,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const path = flags['settings'] ?? environment['HEADGATE_SETTINGS']
  const file = typeof path === 'string' ? readSettingsFile(path) : {}
  const values: Record<string, unknown> = { ...file }
  const sources = new Map(
    Object.keys(file).map((key) => [key, `"${key}" in ${typeof path === 'string' ? path : 'the settings file'}`]),
  )
  for (const { key, flag, variable } of listSettings(schema)) {
    const [given, source] = flags[key] === undefined ? [environment[variable], variable] : [flags[key], flag]
    if (given === undefined || given === '') continue
    // The values of a shape are schemas. What takes a text gets it: a token may have digits alone.
    const isText = (schema.shape[key] as z.ZodType).safeParse(given).success
    values[key] = isText ? given : toValue(given)
    sources.set(key, source)
  }
  const result = schema.safeParse(values)
  if (result.success) return result.data
  throw new SettingsError(result.error.issues.map((issue) => toSentence(schema, issue, sources)).join('\n'))
}

function readSettingsFile(path: string): Values {
  try {
    const content: unknown = yaml().parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 })
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
    throw new Error('it is not a mapping of keys to values')
  } catch (cause) {
    throw new SettingsError(
      `The settings file ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

/** Flags and variables are text; numbers and truth values are meant as such. */
function toValue(given: unknown): unknown {
  if (typeof given !== 'string') return given
  if (/^\d+$/.test(given)) return Number(given)
  if (given === 'true' || given === 'false') return given === 'true'
  return given
}

function toSentence(schema: z.ZodObject, issue: z.core.$ZodIssue, sources: ReadonlyMap<string, string>): string {
  const key = String(issue.path[0] ?? '')
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape).join(', ')
    return issue.keys
      .map((each) => `${sources.get(each) ?? each} is not a setting. The settings are: ${known}.`)
      .join('\n')
  }
  return `${sources.get(key) ?? key} is wrong: ${issue.message}.`
}

function toKebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
