import type { Migration } from '../migration.ts'

export const installation: Migration = {
  name: '0001-installation',
  async up({ schema }) {
    await schema
      .createTable('meta')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute()
    await schema
      .createTable('leases')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('fencing_token', 'bigint', (column) => column.notNull())
      .execute()
  },
}
