import { visibleSchemas } from '../admin-schemas.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface Row {
  readonly seq: number;
  readonly name: string;
}

const COLUMNS: readonly ComputedColumn<Row>[] = [
  { name: 'seq', type: 'number', meaning: 'Number of the schema', value: ({ seq }) => seq },
  { name: 'name', meaning: 'Its name, under which USE takes it', value: ({ name }) => name },
  { name: 'file', meaning: 'Its file; empty: in memory', value: () => '' },
];

export const showDatabases: AdminCommand = {
  name: 'SHOW DATABASES',
  syntax: 'SHOW {DATABASES | SCHEMAS}',
  help: 'The schemas of the admin port',
  pattern: /^SHOW (?:DATABASES|SCHEMAS)$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ session }) =>
    table(
      visibleSchemas(session.role).map((name, seq) => ({ seq, name })),
      COLUMNS,
    ),
};
