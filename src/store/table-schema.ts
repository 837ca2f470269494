/** Makes the tables of a schema, and brings those of an older Sluice to their present columns. */

import type { DatabaseSync } from 'node:sqlite';
import { type AdminSchema, type AdminTable, AdminTableKind } from '../common/admin-tables/admin-table.ts';
import { ALL_TABLES } from '../common/admin-tables/all-tables.ts';

export function tablesOf(schema: AdminSchema): readonly AdminTable[] {
  return ALL_TABLES.filter(
    (table) => table.schema === schema || (schema === 'disk' && table.kind === AdminTableKind.config),
  );
}

/** @returns how many tables there were not before */
export function createTables(database: DatabaseSync, schema: AdminSchema): number {
  const select = database.prepare(`SELECT name, sql FROM ${schema}.sqlite_master WHERE type = 'table'`);
  const existing = new Map(
    (select.all() as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]),
  );
  let created = 0;
  for (const table of tablesOf(schema)) {
    const sql = existing.get(table.name);
    if (sql === undefined) {
      database.exec(ddlIn(schema, table));
      created += 1;
    } else if (sql !== table.ddl) rebuild(database, schema, table);
  }
  return created;
}

function ddlIn(schema: AdminSchema, { ddl }: AdminTable): string {
  return ddl.replace('CREATE TABLE ', `CREATE TABLE ${schema}.`);
}

/** Values of columns that are still there are kept; rows that the present rules refuse are not. */
function rebuild(database: DatabaseSync, schema: AdminSchema, table: AdminTable): void {
  const present = new Set(
    (
      database.prepare(`SELECT name FROM pragma_table_info(?, ?)`).all(table.name, schema) as {
        name: string;
      }[]
    ).map(({ name }) => name),
  );
  const kept = table.columns
    .filter((name) => present.has(name))
    .map((name) => `"${name}"`)
    .join(', ');
  const old = `${table.name}_before`;
  database.exec(`DROP TABLE IF EXISTS ${schema}.${old}`);
  database.exec(`ALTER TABLE ${schema}.${table.name} RENAME TO ${old}`);
  database.exec(ddlIn(schema, table));
  if (kept !== '') {
    database.exec(
      `INSERT OR IGNORE INTO ${schema}.${table.name} (${kept}) SELECT ${kept} FROM ${schema}.${old}`,
    );
  }
  database.exec(`DROP TABLE ${schema}.${old}`);
}
