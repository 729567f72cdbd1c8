/** The tables that are there, with their columns, each after those that it refers to. */
import { sql, type Kysely } from 'kysely'
import type { Dialect } from './client.ts'

export interface TableShape {
  readonly name: string
  readonly columns: readonly string[]
}

interface ColumnRow {
  readonly table_name: string
  readonly column_name: string
}

interface ReferenceRow {
  readonly from_table: string
  readonly to_table: string
}

/** All but `migrations`, which says how these came to be. */
export async function readTableShapes<T>(database: Kysely<T>, dialect: Dialect): Promise<readonly TableShape[]> {
  const questions = dialect === 'sqlite' ? sqliteQuestions : postgresQuestions
  const { rows: columnRows } = await questions.columns.execute(database)
  const { rows: references } = await questions.references.execute(database)
  const columnsOf = Map.groupBy(columnRows, ({ table_name }) => table_name)
  columnsOf.delete('migrations')
  const shapes = [...columnsOf].map(([name, rows]) => ({ name, columns: rows.map(({ column_name }) => column_name) }))
  return sortByReference(shapes, references)
}

const sqliteQuestions = {
  columns: sql<ColumnRow>`select tables.name as table_name, columns.name as column_name
    from sqlite_schema as tables, pragma_table_info(tables.name) as columns
    where tables.type = 'table' and tables.name not like 'sqlite%' order by tables.name, columns.cid`,
  references: sql<ReferenceRow>`select tables.name as from_table, "references"."table" as to_table
    from sqlite_schema as tables, pragma_foreign_key_list(tables.name) as "references" where tables.type = 'table'`,
}

const postgresQuestions = {
  columns: sql<ColumnRow>`select table_name::text as table_name, column_name::text as column_name
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema = current_schema() and table_type = 'BASE TABLE'
    order by table_name collate "C", ordinal_position`,
  references: sql<ReferenceRow>`select child.relname::text as from_table, parent.relname::text as to_table
    from pg_constraint join pg_class as child on child.oid = conrelid join pg_class as parent on parent.oid = confrelid
    where contype = 'f' and child.relnamespace = current_schema()::regnamespace`,
}

/** Rows can be inserted table by table in this order. Throws where tables refer to each other in a circle. */
export function sortByReference(
  shapes: readonly TableShape[],
  references: readonly ReferenceRow[],
): readonly TableShape[] {
  const sorted: TableShape[] = []
  let left = shapes
  while (left.length > 0) {
    const waiting = new Set(left.map(({ name }) => name))
    const mustWait = ({ name }: TableShape): boolean =>
      references.some(({ from_table, to_table }) => from_table === name && waiting.has(to_table))
    const ready = left.filter((shape) => !mustWait(shape))
    if (ready.length === 0) throw new Error(`Tables refer to each other in a circle: ${[...waiting].join(', ')}.`)
    sorted.push(...ready)
    left = left.filter(mustWait)
  }
  return sorted
}
