/** Asks a server for its accounts, and for what holds for all of them. */

import type { Account } from '../../common/account.ts';
import {
  ER_COLUMNACCESS_DENIED_ERROR,
  ER_DBACCESS_DENIED_ERROR,
  ER_TABLEACCESS_DENIED_ERROR,
} from '../../common/server-errno.ts';
import type { AccountPolicy } from '../../common/snapshot.ts';
import { ServerFlavor } from '../../topology/server-description.ts';
import { isSwitchedOn, readGlobalVariables } from '../monitor/global-variables.ts';
import type { MonitorConnection, Row } from '../monitor/monitor-connection.ts';
import { errnoOf } from '../monitor/server-error.ts';
import { type AccountDefaults, accountOfPrivilegeRow, accountOfUserRow } from './account-rows.ts';

export interface AccountReading {
  readonly accounts: readonly Account[];
  readonly policy: AccountPolicy;
  /** Equal if nothing has changed. */
  readonly digest: string;
}

/** A reason to be told to the operator as it stands. */
export class AccountsUnreadableError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'AccountsUnreadableError';
  }
}

/** Of mysql.user; which of them there are depends on the version. */
const WANTED_COLUMNS = [
  'Host',
  'User',
  'plugin',
  'authentication_string',
  'Password',
  'account_locked',
  'password_expired',
  'password_lifetime',
  'password_last_changed',
  'max_user_connections',
  'ssl_type',
  'User_attributes',
];
const TIMESTAMP = 'password_last_changed';
const GLOBALS = [
  'default_password_lifetime',
  'disconnect_on_expired_password',
  'max_user_connections',
  'skip_name_resolve',
];
const HAS_GLOBAL_PRIV = 100_400;

interface AccountQuery {
  readonly table: string;
  /** Each under its name in lower case. */
  readonly columns: readonly string[];
  readonly condition: string;
  readonly toAccount: (row: Row, defaults: AccountDefaults) => Account | null;
}

/**
 * @param known the reading before, which is given back if nothing has changed since
 * @throws AccountsUnreadableError when a privilege is missing, or there are too many
 */
export async function readAccounts(
  connection: MonitorConnection,
  known: AccountReading | null,
  maxAccounts: number,
  signal: AbortSignal,
): Promise<AccountReading> {
  const variables = await readGlobalVariables(connection, GLOBALS, signal);
  const query = await withGrantHint(connection, signal, () => queryFor(connection, signal));
  const { table, columns, condition } = query;
  const parts = columns.map((column) => `IFNULL(HEX(${column}),'-')`).join(',');
  const [state] = await withGrantHint(connection, signal, () =>
    connection.query(
      `SELECT COUNT(*) AS n, HEX(BIT_XOR(CAST(CONV(LEFT(SHA1(CONCAT_WS(',',${parts})),16),16,10) AS UNSIGNED))) AS d ` +
        `FROM ${table} WHERE ${condition}`,
      signal,
    ),
  );
  const digest = JSON.stringify([connection.version.text, [...variables], state?.n, state?.d]);
  if (digest === known?.digest) return known;
  if (Number(state?.n ?? 0) > maxAccounts)
    throw new AccountsUnreadableError(`there are ${state?.n} accounts, and at most ${maxAccounts} are taken`);
  const named = columns.map((column) => `${selectorOf(column)} AS ${column.toLowerCase()}`).join(',');
  const rows = await connection.query(
    `SELECT ${named} FROM ${table} WHERE ${condition} LIMIT ${maxAccounts}`,
    signal,
  );
  const defaults = { passwordLifetimeDays: Number(variables.get('default_password_lifetime') ?? 0) };
  const accounts = rows.map((row) => query.toAccount(row, defaults)).filter((account) => account !== null);
  return { accounts, policy: policyOf(connection, variables), digest };
}

function policyOf(connection: MonitorConnection, variables: ReadonlyMap<string, string>): AccountPolicy {
  return {
    flavor: connection.version.flavor,
    resolvesLoopback: !isSwitchedOn(variables.get('skip_name_resolve')),
    disconnectsExpired: isSwitchedOn(variables.get('disconnect_on_expired_password')),
    maxUserConnections: Math.max(0, Number(variables.get('max_user_connections') ?? 0)),
  };
}

function selectorOf(column: string): string {
  return column === TIMESTAMP ? `UNIX_TIMESTAMP(${column})` : column;
}

async function queryFor(connection: MonitorConnection, signal: AbortSignal): Promise<AccountQuery> {
  const { flavor, id } = connection.version;
  if (flavor === ServerFlavor.mariadb && id >= HAS_GLOBAL_PRIV) {
    return {
      table: 'mysql.global_priv',
      columns: ['Host', 'User', 'Priv'],
      condition: "JSON_VALUE(Priv,'$.is_role') IS NULL",
      toAccount: accountOfPrivilegeRow,
    };
  }
  const present = await connection.query('SHOW COLUMNS FROM mysql.user', signal);
  const names = new Set(present.map((row) => (Object.values(row)[0] ?? '').toLowerCase()));
  return {
    table: 'mysql.user',
    columns: WANTED_COLUMNS.filter((column) => names.has(column.toLowerCase())),
    condition: names.has('is_role') ? "is_role = 'N'" : 'TRUE',
    toAccount: accountOfUserRow,
  };
}

/** What the account lacks, with the statement that gives it. */
async function withGrantHint<T>(
  connection: MonitorConnection,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const denied = [ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR];
    if (!denied.includes(errnoOf(error))) throw error;
    const { flavor, id } = connection.version;
    const table = flavor === ServerFlavor.mariadb && id >= HAS_GLOBAL_PRIV ? 'global_priv' : 'user';
    const [row] = await connection.query('SELECT CURRENT_USER() AS account', signal);
    const [name = '', host = '%'] = (row?.account ?? '').split(/@(?=[^@]*$)/);
    throw new AccountsUnreadableError(
      `the monitor account may not read the accounts: GRANT SELECT ON mysql.${table} TO '${name}'@'${host}'`,
      error,
    );
  }
}
