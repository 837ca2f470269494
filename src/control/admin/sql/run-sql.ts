/** SQL of a command, run in the store for the user of its session. */

import type { AdminTable, SqlValue } from '../../../common/admin-tables/admin-table.ts';
import { CONFIG_TABLES } from '../../../common/admin-tables/all-tables.ts';
import type { StoreResult } from '../../store/store-client.ts';
import { schemaOf } from '../admin-schemas.ts';
import { AdminRole, type CommandAnswer, type CommandCall } from '../commands/command.ts';
import { COMPATIBLE_VERSION } from '../compatible-version.ts';
import { explainStoreError, isStoreError } from './sql-error.ts';

type SqlCall = Pick<CommandCall, 'session' | 'state' | 'version'>;

/** @throws AdminError */
export async function runSql(
  { session, state, version }: SqlCall,
  sql: string,
  parameters: readonly SqlValue[] = [],
): Promise<StoreResult> {
  const { username, host, role, connectionId } = session;
  const context = {
    version: `${COMPATIBLE_VERSION}-sluice-${version}`,
    database: schemaOf(session),
    user: `${username}@${host}`,
    connectionId,
  };
  try {
    return await state.store.execute({ sql, parameters, role, context });
  } catch (error) {
    if (!isStoreError(error)) throw error;
    throw explainStoreError(error, sql, `'${username}'@'${host}'`, role === AdminRole.admin);
  }
}

/** Every column is a text, as in ProxySQL: clients make of it what they need. */
export function answerOf({ columns, rows, changes, lastRowid, written }: StoreResult): CommandAnswer {
  const warnings = written.flatMap(warningOf);
  if (columns.length === 0) {
    // Elsewhere the number of a row means nothing.
    const isNumbered = written.some((name) => configTableOf(name)?.ddl.includes(' AUTOINCREMENT') === true);
    return {
      kind: 'ok',
      affectedRows: changes,
      ...(isNumbered ? { lastInsertId: lastRowid } : {}),
      warnings,
    };
  }
  return { kind: 'rows', columns: columns.map((name) => ({ name })), rows, warnings };
}

function configTableOf(name: string): AdminTable | null {
  const bare = name.slice(name.indexOf('.') + 1);
  return CONFIG_TABLES.find((table) => table.name === bare) ?? null;
}

function warningOf(name: string): string[] {
  const table = configTableOf(name);
  if (table === null || table.supported) return [];
  return [`Sluice has nothing that ${table.name} is for: its rows are kept, and have no effect`];
}

export async function answerSql(
  call: SqlCall,
  sql: string,
  parameters: readonly SqlValue[] = [],
): Promise<CommandAnswer> {
  return answerOf(await runSql(call, sql, parameters));
}
