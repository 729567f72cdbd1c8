/** The tables of the store, as queries see them. Times are milliseconds since 1970, truth values 0 or 1, documents JSON. */

export interface MetaTable {
  readonly name: string
  readonly value: string
}

export interface LeasesTable {
  readonly name: string
  readonly holder: string
  readonly expires_at_ms: number
  /** Grows with every new holder: what an old holder still does can be told from it. */
  readonly fencing_token: number
}

export interface Tables {
  meta: MetaTable
  leases: LeasesTable
}
