/** Where a version stands in its life, as far as it concerns those who call it. */
export interface Lifecycle {
  readonly state: 'mock' | 'published' | 'deprecated' | 'retired'
  /** Times by RFC 3339. */
  readonly deprecatedAt?: string | undefined
  readonly sunsetAt?: string | undefined
  /** Page about the change. */
  readonly link?: string | undefined
  /** Address of the version to move to. */
  readonly successor?: string | undefined
}
