/**
 * The data model of the control plane, as Kysely sees it. Ids are text, times are milliseconds since 1970, truth values
 * are 0 or 1 and documents are JSON text: what SQLite and PostgreSQL both keep without a translation.
 */

import type { LifecycleTables } from './lifecycle-tables.ts'
import type { Generated } from 'kysely'
import type { PeopleTables } from './people-tables.ts'
import type { WebhookCursorTable, WebhookDeliveryTable } from './webhook-tables.ts'

export interface Tables extends PeopleTables, LifecycleTables {
  meta: MetaTable
  leases: LeasesTable
  workspaces: WorkspaceTable
  environments: EnvironmentTable
  resources: ResourceTable
  blobs: BlobTable
  documents: DocumentTable
  revisions: RevisionTable
  deployments: DeploymentTable
  deployment_counts: DeploymentCountTable
  route_claims: RouteClaimTable
  snapshot_lines: SnapshotLineTable
  credentials: CredentialTable
  ended_keys: EndedKeyTable
  subscriptions: SubscriptionTable
  gateways: GatewayTable
  join_tokens: JoinTokenTable
  audit: AuditTable
  idempotency: IdempotencyTable
  quota_counts: QuotaCountTable
  keys: KeyTable
  webhook_cursors: WebhookCursorTable
  webhook_deliveries: WebhookDeliveryTable
}

export interface MetaTable {
  name: string
  value: string
}

export interface LeasesTable {
  name: string
  holder: string
  expires_at_ms: number
  /** Grows with every new holder: what an old holder still does can be told from it. */
  fencing_token: number
}

/** What every thing that can be changed has: its number grows with each change and is its ETag. */
export interface Changeable {
  version: number
  created_at_ms: number
  updated_at_ms: number
}

/** A tenant. */
export interface WorkspaceTable extends Changeable {
  id: string
  name: string
  title: string
  /** JSON: what every API of the workspace gets when it is published. */
  settings: string
}

/** Where revisions run; the same for all workspaces. */
export interface EnvironmentTable extends Changeable {
  id: string
  name: string
  title: string
  is_default: number
  needs_approval: number
  /** Whether keys to try APIs with may be made for it. */
  test_keys: number
  /** Grows with every change of `snapshot_lines`; the row's lock puts publishers of one environment in a row. */
  snapshot_seq: number
  /** JSON: settings of its gateways, secrets as references to those of settings, `gateway-secret` in `resources`. */
  gateway: string
  /** JSON: by workspace, `*` for all others, where it may publish; see `control/environments/places.ts`. */
  places: Generated<string>
}

/** Configuration that people write: APIs, their versions, upstreams, consumers, products, certificates … */
export interface ResourceTable extends Changeable {
  id: string
  workspace_id: string
  kind: string
  /** The thing that it is part of, such as the API of a version; empty for none. */
  parent_id: string
  /** Name of the one environment that it is for; empty for all. */
  environment: string
  name: string
  /** JSON by the schema of the kind, secrets sealed. */
  spec: string
  /** Lower-case words to search. */
  search: string
  /** Labels and facts to filter by, a line each; see `control/resources/facets.ts`. */
  facets: string
  /** Who manages it as code (`apply --source`); empty when people do. */
  source: string
  updated_by: string
  /** The blob that its document names; empty for none. */
  document_hash: Generated<string>
}

/** Large texts by their SHA-256, such as OpenAPI documents. */
export interface BlobTable {
  hash: string
  content: string
}

/** What is known of a blob, apart from it: a change of a row with a large text would write that text anew. */
export interface DocumentTable {
  hash: string
  bytes: number
  /** When it was first seen that no draft and no revision names it; null: something does, or nobody has looked yet. */
  unused_since_ms: number | null
}

/** An immutable published state of an API version. */
export interface RevisionTable {
  id: string
  workspace_id: string
  api_id: string
  version_id: string
  number: number
  /** SHA-256 over `content`. */
  content_hash: string
  /** JSON: the settings of the version with the hash of its document. */
  content: string
  /** That hash; empty for none. */
  document_hash: Generated<string>
  /** JSON: findings of the rules, and the changes against the revision before. */
  report: string
  created_at_ms: number
  created_by: string
}

/** A revision in an environment. */
export interface DeploymentTable extends Changeable {
  id: string
  workspace_id: string
  environment: string
  api_id: string
  version_id: string
  revision_id: string
  /** The deployment that served before, or serves beside it; empty for the first. */
  previous_id: string
  strategy: string
  state: string
  /** Share of the callers that get it, 0 to 100. */
  percent: number
  /** JSON: steps, bounds and where they stand. */
  plan: string
  /** Why it is in this state. */
  reason: string
  created_by: string
  /** The person who wants it, by whatever token, or who made the token of the service that does. They cannot approve it. */
  author_id: string
  /** Empty when nobody had to. */
  approved_by: string
  /** When an approval comes too late. */
  expires_at_ms: number | null
}

/** Requests of deployments that stand side by side, as each gateway reported them every second. */
export interface DeploymentCountTable {
  deployment_id: string
  gateway_id: string
  /** Number of the report; one that comes twice counts once. */
  slot: number
  at_ms: number
  requests: number
  errors: number
  /** JSON: pairs of a latency sketch. */
  latency: string
}

/** Who owns a host and path in an environment, so that no two APIs claim the same. */
export interface RouteClaimTable {
  environment: string
  claim: string
  /** `*` for any. */
  host: string
  /** With its parameters made equal. */
  path: string
  /** The segments of the path before the first one that is not plain text: what claims are found by that could meet it. */
  stem: string
  workspace_id: string
  version_id: string
}

/** The compiled configuration of an environment, line by line; a line that is gone stays as an empty one. */
export interface SnapshotLineTable {
  environment: string
  key: string
  line: string
  /** The environment's `snapshot_seq` of the change. */
  seq: number
}

export interface CredentialTable extends Changeable {
  id: string
  workspace_id: string
  consumer_id: string
  name: string
  /** SHA-256 of the key in hex. */
  hash: string
  /** The first characters of a key that Headgate issued, to recognise it. */
  prefix: string
  expires_at_ms: number | null
  revoked_at_ms: number | null
  /** Who manages it as code; empty when people do. */
  source: Generated<string>
}

/** What people took from a key: it outlives the key's row, which goes with its consumer. */
export interface EndedKeyTable {
  workspace_id: string
  /** SHA-256 of the key in hex. */
  hash: string
  ends_at_ms: number
  is_revoked: number
}

export interface SubscriptionTable extends Changeable {
  id: string
  workspace_id: string
  consumer_id: string
  product_id: string
  plan: string
  /** pending, active, suspended, rejected, cancelled */
  state: string
  /** Who manages it as code; empty when people do. */
  source: Generated<string>
}

export interface GatewayTable extends Changeable {
  id: string
  name: string
  environment: string
  /** SHA-256 of the node's token. */
  token_hash: string
  last_seen_at_ms: number
  /** JSON: what it said last of its version, health and load. */
  report: string
  revoked_at_ms: number | null
}

export interface JoinTokenTable {
  hash: string
  environment: string
  created_at_ms: number
  expires_at_ms: number
  used_at_ms: number | null
}

/** Every change that somebody made; each entry carries the hash of the one before. */
export interface AuditTable {
  seq: number
  at_ms: number
  actor: string
  action: string
  workspace_id: string
  target_kind: string
  target_id: string
  target_name: string
  /** JSON without secrets; empty when there was nothing. */
  before: string
  after: string
  address: string
  request_id: string
  previous_hash: string
  hash: string
}

export interface IdempotencyTable {
  actor: string
  key: string
  request_hash: string
  status: number
  body: string
  created_at_ms: number
}

/** What one gateway counted of a quota in a period; the sum over the gateways of an environment is what counts. */
export interface QuotaCountTable {
  environment: string
  policy: string
  key: string
  period_start_ms: number
  period_end_ms: number
  gateway_id: string
  count: number
  /** Grows with every report of the environment that brought more, so that gateways ask for what is new. */
  seq: number
}

/** Keys of the installation, sealed with the master key: of secrets, of snapshots. */
export interface KeyTable {
  id: string
  purpose: string
  /** Empty when it is retired: nothing can be opened or signed with it any more. */
  sealed: string
  /** Of a signing key: its public key in PEM and the signature of the key before it, as JSON; else empty. */
  endorsement: string
  created_at_ms: number
  /** It is used from then on: every process knows it by then. */
  active_at_ms: number
  retired_at_ms: number | null
}
