/** SQL of a command, run in the store for the user of its session. */

import type { SqlValue } from '../../../common/admin-tables/admin-table.ts';
import { ALL_TABLES } from '../../../common/admin-tables/all-tables.ts';
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
export function answerOf({ columns, rows, changes, written }: StoreResult): CommandAnswer {
  const warnings = written.flatMap(warningOf);
  if (columns.length === 0) return { kind: 'ok', affectedRows: changes, warnings };
  return { kind: 'rows', columns: columns.map((name) => ({ name })), rows, warnings };
}

function warningOf(name: string): string[] {
  const table = ALL_TABLES.find((known) => name.endsWith(`.${known.name}`) && known.kind === 'config');
  if (table === undefined || table.supported) return [];
  return [`Sluice has nothing that ${table.name} is for: its rows are kept, and have no effect`];
}

export async function answerSql(
  call: SqlCall,
  sql: string,
  parameters: readonly SqlValue[] = [],
): Promise<CommandAnswer> {
  return answerOf(await runSql(call, sql, parameters));
}
