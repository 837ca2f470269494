import type { TextValue } from '../../../../protocol/index.ts';
import { describeColumns } from '../sql/table-schema.ts';
import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';
import { namedTable, TABLE_NAME } from './show-fields.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Table', meaning: 'Name of the table' },
  { name: 'Non_unique', type: 'number', meaning: 'Always 0' },
  { name: 'Key_name', meaning: '`PRIMARY`, or the columns of a unique key' },
  { name: 'Seq_in_index', type: 'number', meaning: 'Place of the column in the key' },
  { name: 'Column_name', meaning: 'Name of the column' },
  { name: 'Collation', meaning: 'Always `A`' },
  { name: 'Cardinality', type: 'number', meaning: 'Not known' },
  { name: 'Sub_part', type: 'number', meaning: 'Always NULL' },
  { name: 'Packed', meaning: 'Always NULL' },
  { name: 'Null', meaning: 'Always empty' },
  { name: 'Index_type', meaning: 'Always `BTREE`' },
  { name: 'Comment', meaning: 'Always empty' },
  { name: 'Index_comment', meaning: 'Always empty' },
];

export const showIndex: AdminCommand = {
  name: 'SHOW INDEX',
  syntax: 'SHOW {INDEX | INDEXES | KEYS} FROM [schema.]table [WHERE …]',
  help: 'The keys of a table',
  pattern: new RegExp(
    String.raw`^SHOW (?:INDEX|INDEXES|KEYS) (?:FROM|IN) ${TABLE_NAME}(?: (?:FROM|IN) (${'`[^`]+`'}|\w+))?(?: WHERE .*)?$`,
    'is',
  ),
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async (call) => {
    const { ddl, name } = await namedTable(call, call.match.slice(1));
    const rows = describeColumns(ddl).keys.flatMap((key): TextValue[][] =>
      key.columns.map((column, index) => [
        ...[name, 0, key.name, index + 1, column, 'A', null, null, null, '', 'BTREE', '', ''],
      ]),
    );
    return filtered(call, wordsBeforeFilter(call), COLUMNS, rows);
  },
};
