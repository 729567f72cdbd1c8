/** The settings of the control plane, found as those of the gateway are. */
import { z } from 'zod'
import { parseTrustedProxies } from '../control/caller-address.ts'

export const controlSettings = z.strictObject({
  controlPort: z
    .int()
    .min(0)
    .max(65_535)
    .default(8081)
    .meta({ description: 'Port of the admin API.', variable: 'HEADGATE_CONTROL_PORT' }),
  controlBind: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta({ description: 'Address that the admin API listens on.', variable: 'HEADGATE_CONTROL_BIND' }),
  controlPublicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description: 'Where browsers reach the control plane, when a proxy stands before it.',
      variable: 'HEADGATE_CONTROL_PUBLIC_URL',
    }),
  controlTrustedProxies: z
    .string()
    .default('')
    .refine(isProxyList, 'write addresses and networks by commas, such as 10.0.0.0/8')
    .meta({
      description:
        'Proxies before the control plane, addresses or networks by commas, whose X-Forwarded-For is believed.',
      variable: 'HEADGATE_CONTROL_TRUSTED_PROXIES',
    }),
  dataDir: z
    .string()
    .min(1)
    .default('.headgate')
    .meta({ description: 'Folder for what is kept between starts.', variable: 'HEADGATE_DATA_DIR' }),
  databaseUrl: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, 'write postgres://user:password@host/database')
    .optional()
    .meta({ description: 'PostgreSQL instead of the embedded store.', variable: 'HEADGATE_DATABASE_URL' }),
  masterKey: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Base64 of 32 bytes that seal the keys in the store.', variable: 'HEADGATE_MASTER_KEY' }),
  adminToken: z.string().min(16, 'at least 16 characters').optional().meta({
    description: 'Bootstrap token; without it one is made and printed once.',
    variable: 'HEADGATE_ADMIN_TOKEN',
  }),
  environment: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dots, dashes and underscores')
    .default('production')
    .meta({ description: 'The environment that a new installation begins with.', variable: 'HEADGATE_ENVIRONMENT' }),
  webhookPrivate: z.boolean().default(false).meta({
    description: 'Webhooks may go to private and loopback addresses.',
    variable: 'HEADGATE_WEBHOOK_PRIVATE',
  }),
  importPrivate: z.boolean().default(false).meta({
    description: 'Whether OpenAPI documents may be fetched from private and loopback addresses.',
    variable: 'HEADGATE_IMPORT_PRIVATE',
  }),
  importHosts: z.string().default('').meta({
    description: 'Hosts, by commas, from which documents may refer to files besides their own host.',
    variable: 'HEADGATE_IMPORT_HOSTS',
  }),
  workspaceDocumentMb: z.int().min(1).max(1_000_000_000).default(10_240).meta({
    description: 'Megabytes of OpenAPI documents that one workspace may keep, those of its drafts and its revisions.',
    variable: 'HEADGATE_WORKSPACE_DOCUMENT_MB',
  }),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .meta({ description: 'Least level of events that are logged.', variable: 'HEADGATE_LOG_LEVEL' }),
})

function isProxyList(text: string): boolean {
  try {
    parseTrustedProxies(text)
    return true
  } catch {
    // What is wrong the message of the setting says.
    return false
  }
}

export type ControlSettings = z.output<typeof controlSettings>
