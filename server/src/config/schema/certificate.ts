/** A certificate that gateways show to clients by the name that these ask for. */
import { z } from 'zod'
import { labels, name } from './quantities.ts'

const MOST_PEM_CHARS = 64 * 1024

const serverName = z
  .string()
  .max(253)
  .regex(/^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a host name, or one with `*.` in front')

export const certificate = z
  .strictObject({
    name: name({ title: 'Name', description: 'Names it in lists.' }),
    labels: labels(),
    chain: z.string().min(1).max(MOST_PEM_CHARS).meta({
      title: 'Chain',
      description:
        'PEM of the certificate, followed by those that issued it, without the root; in a file usually `file:tls.crt`.',
    }),
    key: z.string().min(1).max(MOST_PEM_CHARS).meta({
      title: 'Private key',
      description:
        'PEM without a passphrase; in a file usually `file:tls.key`. A control plane seals it, and never shows it again.',
      secret: true,
    }),
    names: z.array(serverName).max(100).optional().meta({
      title: 'Names',
      description:
        'Those of the names in it (SNI) that it is shown for, `*.example.com` allowed. Default: all DNS names in it.',
    }),
  })
  .meta({ title: 'Certificate', description: 'A certificate with its key.' })

export type CertificateSettings = z.output<typeof certificate>
