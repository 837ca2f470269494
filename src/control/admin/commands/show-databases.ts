import { join } from 'node:path';
import { DISK_FILE, HISTORY_FILE } from '../../store/store-client.ts';
import { visibleSchemas } from '../admin-schemas.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface Row {
  readonly seq: number;
  readonly name: string;
  readonly file: string;
}

/** Of schemas that lie in `dataDir`. */
const FILES: Readonly<Record<string, string>> = { disk: DISK_FILE, stats_history: HISTORY_FILE };

const COLUMNS: readonly ComputedColumn<Row>[] = [
  { name: 'seq', type: 'number', meaning: 'Number of the schema', value: ({ seq }) => seq },
  { name: 'name', meaning: 'Its name, under which USE takes it', value: ({ name }) => name },
  { name: 'file', meaning: 'Its file; empty: in memory', value: ({ file }) => file },
];

export const showDatabases: AdminCommand = {
  name: 'SHOW DATABASES',
  syntax: 'SHOW {DATABASES | SCHEMAS}',
  help: 'The schemas of the admin port with their files; warns of files that are damaged or cannot be written to',
  pattern: /^SHOW (?:DATABASES|SCHEMAS)$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ session, state }) => {
    const { dataDir, notices } = state.store;
    const fileOf = (schema: string): string => {
      const file = FILES[schema];
      return dataDir === null || file === undefined ? '' : join(dataDir, file);
    };
    const rows = visibleSchemas(session.role).map((name, seq) => ({ seq, name, file: fileOf(name) }));
    return { ...table(rows, COLUMNS), warnings: notices };
  },
};
