import type { Migration } from '../migration.ts'

export const installation: Migration = {
  name: '0001-installation',
  async up({ run }) {
    await run('CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)')
    await run(`CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at_ms BIGINT NOT NULL,
      fencing_token BIGINT NOT NULL)`)
  },
}
