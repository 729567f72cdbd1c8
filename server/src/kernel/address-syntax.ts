/** Addresses that stand in a `Link` field. */
import { z } from 'zod'

/** An address without what would end it or its field (RFC 8288 §3): absolute, or a path of the same host. */
export const address = z
  .string()
  .max(2000)
  .regex(/^(?:https?:\/\/|\/)[!#-;=?-[\]_a-z~%]+$/i, 'an address such as https://example.com/v2 or /v2')
