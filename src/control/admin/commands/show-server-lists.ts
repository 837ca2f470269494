/**
 * Lists of a server that graphical tools ask for when they connect, or when somebody opens a schema. The admin port has
 * nothing to put into most of them; with an error instead of an empty list such tools stop in the middle.
 */

import type { TextValue } from '../../../../protocol/index.ts';
import { ALL_TABLES } from '../../../common/admin-tables/all-tables.ts';
import { schemaOf, visibleSchemas } from '../admin-schemas.ts';
import { unquote } from '../admin-statement.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

interface ServerList {
  /** Over the normal form; the words in front of LIKE or WHERE are counted by their tokens. */
  readonly pattern: RegExp;
  readonly columns: readonly string[];
  readonly rows?: (call: CommandCall, match: RegExpExecArray) => readonly (readonly TextValue[])[];
}

const FROM = String.raw`(?: (?:FROM|IN) (\`[^\`]+\`|\w+))?`;
const REST = '(?: (?:LIKE|WHERE) .*)?$';

function listed(words: string, columns: string, rows?: ServerList['rows']): ServerList {
  const pattern = new RegExp(`^SHOW (?:FULL |GLOBAL |SESSION )?(?:${words})${FROM}${REST}`, 'is');
  return { pattern, columns: columns.split(' '), ...(rows === undefined ? {} : { rows }) };
}

function tableStatus({ session }: CommandCall, match: RegExpExecArray): readonly (readonly TextValue[])[] {
  const schema = unquote(match[1] ?? schemaOf(session)).toLowerCase();
  if (!visibleSchemas(session.role).some((visible) => visible === schema)) return [];
  const wanted = schema === 'disk' ? 'main' : schema;
  return ALL_TABLES.filter(
    (table) => table.schema === wanted && (schema !== 'disk' || table.kind === 'config'),
  ).map(({ name }) => [
    name,
    'SQLite',
    10,
    'Dynamic',
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    'utf8mb4_general_ci',
    null,
    '',
    '',
  ]);
}

function grants({ session }: CommandCall): readonly (readonly TextValue[])[] {
  const account = `'${session.username}'@'${session.host}'`;
  if (session.role === AdminRole.admin)
    return [[`GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION`]];
  return ['stats', 'monitor', 'stats_history'].map((schema) => [
    `GRANT SELECT ON \`${schema}\`.* TO ${account}`,
  ]);
}

const ROUTINE =
  'Db Name Type Definer Modified Created Security_type Comment character_set_client collation_connection Database_Collation';

const LISTS: readonly ServerList[] = [
  listed('(?:STORAGE )?ENGINES', 'Engine Support Comment Transactions XA Savepoints', () => [
    ['SQLite', 'DEFAULT', 'Tables of the admin port', 'NO', 'NO', 'NO'],
  ]),
  listed('PLUGINS', 'Name Status Type Library License'),
  listed('PRIVILEGES', 'Privilege Context Comment'),
  listed(
    'TRIGGERS',
    'Trigger Event Table Statement Timing Created sql_mode Definer character_set_client collation_connection Database_Collation',
  ),
  listed('(?:FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY) STATUS', ROUTINE),
  listed('OPEN TABLES', 'Database Table In_use Name_locked'),
  listed(
    'TABLE STATUS',
    'Name Engine Version Row_format Rows Avg_row_length Data_length Max_data_length Index_length Data_free Auto_increment Create_time Update_time Check_time Collation Checksum Create_options Comment',
    tableStatus,
  ),
  listed('(?:MASTER|BINARY LOG|BINLOG) STATUS', 'File Position Binlog_Do_DB Binlog_Ignore_DB'),
  listed(
    '(?:ALL )?(?:SLAVES?|REPLICAS?) STATUS',
    'Slave_IO_State Master_Host Master_User Master_Port Slave_IO_Running Slave_SQL_Running Seconds_Behind_Master',
  ),
  listed('(?:BINARY|MASTER) LOGS', 'Log_name File_size'),
  listed('(?:SLAVE HOSTS|REPLICAS)', 'Server_id Host Port Master_id'),
  listed('PROFILES', 'Query_ID Duration Query'),
  // SHOW EVENTS alone are those of the monitor.
  {
    pattern: new RegExp(String.raw`^SHOW EVENTS(?: (?:FROM|IN) (\`[^\`]+\`|\w+))${REST}`, 'is'),
    columns:
      'Db Name Definer Time_zone Type Execute_at Interval_value Interval_field Starts Ends Status Originator character_set_client collation_connection Database_Collation'.split(
        ' ',
      ),
  },
];
const GRANTS = /^SHOW GRANTS(?: FOR .*)?$/is;
const ALL = [...LISTS.map(({ pattern }) => pattern.source), GRANTS.source].join('|');

function answer(call: CommandCall): CommandAnswer | Promise<CommandAnswer> {
  const { statement, session } = call;
  if (GRANTS.test(statement.text)) {
    const columns = [{ name: `Grants for ${session.username}@${session.host}` }];
    return { kind: 'rows', columns, rows: grants(call) };
  }
  for (const { pattern, columns, rows } of LISTS) {
    const match = pattern.exec(statement.text);
    if (match === null) continue;
    return filtered(
      call,
      wordsBeforeFilter(call),
      columns.map((name) => ({ name })),
      rows?.(call, match) ?? [],
    );
  }
  throw new TypeError('a pattern that none of its parts matches');
}

export const showServerLists: AdminCommand = {
  name: 'SHOW ENGINES',
  syntax:
    'SHOW {ENGINES | PLUGINS | PRIVILEGES | GRANTS | TRIGGERS | {FUNCTION | PROCEDURE} STATUS | OPEN TABLES | TABLE STATUS | EVENTS FROM … | MASTER STATUS | SLAVE STATUS | BINARY LOGS}',
  help: 'For graphical tools: what a server would list; most of it is empty here',
  pattern: new RegExp(ALL, 'is'),
  access: AdminRole.stats,
  changes: false,
  columns: [],
  execute: answer,
};
