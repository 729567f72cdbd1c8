/** What can be permitted, and the roles that come built in. A permission is a noun and how deep one may reach. */

/** Nouns of a workspace. */
const WORKSPACE_NOUNS = [
  'apis',
  'revisions',
  'deployments',
  'upstreams',
  'policies',
  'certificates',
  'secrets',
  'consumers',
  'credentials',
  'products',
  'subscriptions',
  'webhooks',
  'teams',
  'members',
  'audit',
  'workspace',
] as const

/** Nouns of the installation. */
const INSTALLATION_NOUNS = [
  'workspaces',
  'environments',
  'gateways',
  'users',
  'roles',
  'access',
  'keys',
  'backups',
] as const

type Noun = (typeof WORKSPACE_NOUNS)[number] | (typeof INSTALLATION_NOUNS)[number]

export type Permission =
  | `${Noun}.${'read' | 'write'}`
  | 'deployments.approve'
  | 'subscriptions.approve'
  | 'audit.verify'

const NOUNS: readonly Noun[] = [...WORKSPACE_NOUNS, ...INSTALLATION_NOUNS]

/** Every permission there is. */
export const PERMISSIONS: readonly Permission[] = [
  ...NOUNS.flatMap((noun): Permission[] => [`${noun}.read`, `${noun}.write`]),
  'deployments.approve',
  'subscriptions.approve',
  'audit.verify',
]

/** Reading these tells who does what, or what is secret: not everybody who may look may look here. */
const SENSITIVE: readonly Noun[] = ['audit', 'secrets', 'users', 'keys', 'members', 'credentials', 'access', 'backups']

const read = (nouns: readonly Noun[]): Permission[] => nouns.map((noun): Permission => `${noun}.read`)
const write = (nouns: readonly Noun[]): Permission[] =>
  nouns.flatMap((noun): Permission[] => [`${noun}.read`, `${noun}.write`])
const open = read(NOUNS.filter((noun) => !SENSITIVE.includes(noun)))

/** Built-in roles by name. A role given in one workspace reaches that one only. */
export const BUILT_IN_ROLES: Readonly<
  Record<string, { readonly title: string; readonly permissions: readonly Permission[] }>
> = {
  owner: { title: 'Everything, also who the owners are.', permissions: PERMISSIONS },
  admin: {
    title: 'Everything but keys, backups and the ways of signing in of the installation.',
    permissions: PERMISSIONS.filter((permission) => !/^(?:access|keys|backups)\.write$/.test(permission)),
  },
  'api-developer': {
    title: 'Designs, publishes and deploys APIs.',
    permissions: [
      ...open,
      ...write(['apis', 'revisions', 'deployments', 'upstreams', 'policies', 'products', 'consumers', 'credentials']),
      ...write(['subscriptions', 'webhooks']),
      'secrets.read',
    ],
  },
  operator: {
    title: 'Runs what is published: deployments, gateways, upstreams, certificates.',
    permissions: [
      ...open,
      ...write(['deployments', 'upstreams', 'certificates', 'secrets', 'gateways', 'environments']),
      ...write(['credentials']),
      'deployments.approve',
      'subscriptions.approve',
    ],
  },
  auditor: {
    title: 'Reads everything, the audit included, and changes nothing.',
    permissions: [...PERMISSIONS.filter((permission) => permission.endsWith('.read')), 'audit.verify'],
  },
  viewer: { title: 'Reads what is not sensitive.', permissions: open },
}

/** A role that comes built in; `constructor` and the like are none. */
export function builtInRole(name: string) {
  return Object.hasOwn(BUILT_IN_ROLES, name) ? BUILT_IN_ROLES[name] : undefined
}

export function isPermission(text: string): text is Permission {
  return PERMISSIONS.some((permission) => permission === text)
}
