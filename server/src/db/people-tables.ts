/** The tables of people: who they are, how they sign in, and what they may do. */
import type { Generated } from 'kysely'
import type { Changeable } from './tables.ts'

export interface PeopleTables {
  users: UserTable
  recovery_codes: RecoveryCodeTable
  identities: IdentityTable
  identity_providers: IdentityProviderTable
  invitations: InvitationTable
  sign_in_attempts: SignInAttemptTable
  sign_in_failures: SignInFailureTable
  sessions: SessionTable
  teams: TeamTable
  team_members: TeamMemberTable
  roles: RoleTable
  bindings: BindingTable
  tokens: TokenTable
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
  /** Id of the actor: when it is accepted they must still be allowed to make it. */
  made_by: string
}

/** What went wrong lately when somebody tried to sign in, by who or from where. */
export interface SignInAttemptTable {
  subject: string
  failures: number
  last_at_ms: number
  /** Nothing is tried before. */
  until_ms: number
}

/** Failures to sign in of an hour, for the audit, by whose they were. */
export interface SignInFailureTable {
  subject: string
  target_kind: string
  target_id: string
  target_name: string
  since_ms: number
  failures: number
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
  /** JSON: the groups that they had then, of those that give something; empty when a person put them in. */
  by_groups: Generated<string>
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
  /** JSON: the groups that they had then, of those that give something; empty when a person gave it. */
  by_groups: Generated<string>
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
  /** The person who answers for it: id of their account, or of the actor that is none. */
  made_by: string
}
