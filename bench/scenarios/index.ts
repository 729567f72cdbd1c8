/** The one list of what `npm run bench` measures, in the order of the report. */
import type { Scenario } from '../bench.ts'
import { bare } from './bare.ts'
import { http2, http2Streams } from './http2.ts'
import { idleConnections } from './idle-connections.ts'
import { jwtMany, jwtSame } from './jwt.ts'
import { keyLimitRecord } from './key-limit-record.ts'
import { manyRoutes } from './many-routes.ts'
import { memory } from './memory.ts'
import { malformed, noKey, overLimit, wrongKey } from './refusals.ts'
import { reload } from './reload.ts'
import { sharedLimit } from './shared-limit.ts'
import { streaming } from './streaming.ts'
import { tls } from './tls.ts'

export const scenarios: readonly Scenario[] = [
  keyLimitRecord,
  bare,
  noKey,
  wrongKey,
  overLimit,
  malformed,
  jwtSame,
  jwtMany,
  manyRoutes,
  tls,
  http2,
  http2Streams,
  reload,
  streaming,
  idleConnections,
  memory,
  sharedLimit,
]
