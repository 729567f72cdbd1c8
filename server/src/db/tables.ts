/**
 * The data model of the control plane, as Kysely sees it. Ids are text, times are milliseconds since 1970, truth values
 * are 0 or 1 and documents are JSON text: what SQLite and PostgreSQL both keep without a translation.
 */

export interface Tables {
  meta: MetaTable
  leases: LeasesTable
  workspaces: WorkspaceTable
  environments: EnvironmentTable
  resources: ResourceTable
  blobs: BlobTable
  revisions: RevisionTable
  deployments: DeploymentTable
  route_claims: RouteClaimTable
  snapshot_lines: SnapshotLineTable
  credentials: CredentialTable
  subscriptions: SubscriptionTable
  gateways: GatewayTable
  join_tokens: JoinTokenTable
  users: UserTable
  recovery_codes: RecoveryCodeTable
  identities: IdentityTable
  identity_providers: IdentityProviderTable
  invitations: InvitationTable
  sign_in_attempts: SignInAttemptTable
  sessions: SessionTable
  teams: TeamTable
  team_members: TeamMemberTable
  roles: RoleTable
  bindings: BindingTable
  tokens: TokenTable
  audit: AuditTable
  idempotency: IdempotencyTable
  quota_counts: QuotaCountTable
  keys: KeyTable
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
interface Changeable {
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
  /** Grows with every change of `snapshot_lines`; the row's lock puts publishers of one environment in a row. */
  snapshot_seq: number
  /** JSON: settings of its gateways, secrets as references to those of the default workspace. */
  gateway: string
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
}

/** Large texts by their SHA-256, such as OpenAPI documents. */
export interface BlobTable {
  hash: string
  content: string
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
  /** The deployment that served before; empty for the first. */
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
}

/** Who owns a host and path in an environment, so that no two APIs claim the same. */
export interface RouteClaimTable {
  environment: string
  claim: string
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
}

export interface SubscriptionTable extends Changeable {
  id: string
  workspace_id: string
  consumer_id: string
  product_id: string
  plan: string
  /** pending, active, suspended, rejected, cancelled */
  state: string
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

export interface UserTable extends Changeable {
  id: string
  email: string
  name: string
  /** argon2id in PHC form; empty for one who signs in elsewhere. */
  password_hash: string
  /** Sealed TOTP secret; empty without, and begins with `?` until its first code was right. */
  totp: string
  /** The time step of the last code that was taken: none is taken twice. */
  totp_step: number
  /** A service account has no password and no session. */
  is_service: number
  disabled_at_ms: number | null
}

/** What opens an account once when the device with the TOTP secret is lost. */
export interface RecoveryCodeTable {
  user_id: string
  /** SHA-256 of the code. */
  hash: string
}

/** Whom an OpenID provider knows as which account. */
export interface IdentityTable {
  issuer: string
  subject: string
  user_id: string
  created_at_ms: number
}

export interface IdentityProviderTable extends Changeable {
  id: string
  name: string
  /** JSON by the schema of identity providers. */
  spec: string
  /** Sealed secret of the client; empty without. */
  secret: string
}

/** Links by which people choose a password of their own: good once. */
export interface InvitationTable {
  hash: string
  user_id: string
  created_at_ms: number
  expires_at_ms: number
  used_at_ms: number | null
}

/** What went wrong lately when somebody tried to sign in, by who or from where. */
export interface SignInAttemptTable {
  subject: string
  failures: number
  last_at_ms: number
  /** Nothing is tried before. */
  until_ms: number
}

export interface SessionTable {
  /** SHA-256 of the cookie. */
  hash: string
  /** What lists show. */
  id: string
  user_id: string
  /** How the account was proven: `password`, `password+totp`, `oidc:<provider>`. */
  method: string
  address: string
  agent: string
  created_at_ms: number
  expires_at_ms: number
  seen_at_ms: number
}

/** People of a workspace who get roles together. */
export interface TeamTable extends Changeable {
  id: string
  workspace_id: string
  name: string
  title: string
}

export interface TeamMemberTable {
  team_id: string
  user_id: string
  /** `oidc:<provider>` when a group of that provider put them in; empty when a person did. */
  source: string
  created_at_ms: number
}

/** Roles that people made; the built-in ones stand in the code. */
export interface RoleTable extends Changeable {
  id: string
  /** Empty: of the installation. */
  workspace_id: string
  name: string
  /** JSON list of permissions. */
  permissions: string
}

/** Who has which role where. */
export interface BindingTable {
  id: string
  /** `user:<id>` or `team:<id>` */
  subject: string
  /** Empty: everywhere. */
  workspace_id: string
  role: string
  /** `oidc:<provider>` when a group of that provider gives it; empty when a person does. */
  source: string
  created_at_ms: number
}

export interface TokenTable extends Changeable {
  id: string
  name: string
  user_id: string
  hash: string
  prefix: string
  /** Empty: every workspace of the user. */
  workspace_id: string
  /** JSON list of permissions that it is narrowed to. */
  scopes: string
  expires_at_ms: number | null
  revoked_at_ms: number | null
  last_used_at_ms: number | null
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

/** What one gateway counted of a quota in a period; the sum over the gateways is what counts. */
export interface QuotaCountTable {
  gateway_id: string
  policy: string
  key: string
  period_start_ms: number
  count: number
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
