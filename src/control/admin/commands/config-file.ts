/** What is in force, as a configuration file. */

import { AdminError } from '../admin-error.ts';
import { unquote } from '../admin-statement.ts';
import { writePrivateFile } from '../write-private-file.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';

const COLUMNS = [{ name: 'Data', meaning: 'The file, YAML' }] as const;

async function write({ match, state }: CommandCall): Promise<CommandAnswer> {
  const path = unquote(match[1] ?? '');
  if (!path.startsWith('/')) throw new AdminError('wrongArgument', 'Expected the whole path of a file, /…');
  try {
    await writePrivateFile(path, state.runtime.text());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new AdminError('wrongArgument', `${path} cannot be written (${code ?? message})`);
  }
  return { kind: 'ok', info: `written to ${path}` };
}

export const saveConfigToFile: AdminCommand = {
  name: 'SAVE CONFIG TO FILE',
  syntax: 'SAVE CONFIG TO FILE <path>, SELECT CONFIG INTO OUTFILE <path>',
  help: 'Writes what is in force to a file that only its owner may read: a configuration for `--config`',
  pattern: /^(?:SAVE CONFIG TO FILE|SELECT CONFIG INTO OUTFILE) (\S.*)$/is,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: write,
};

export const selectConfigFile: AdminCommand = {
  name: 'SELECT CONFIG FILE',
  syntax: 'SELECT CONFIG FILE',
  help: 'What is in force as a configuration file, with its passwords',
  pattern: /^SELECT CONFIG FILE$/i,
  access: AdminRole.admin,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => ({ kind: 'rows', columns: COLUMNS, rows: [[state.runtime.text()]] }),
};
