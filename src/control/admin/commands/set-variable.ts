import { AdminError, quoted } from '../admin-error.ts';
import { unquote } from '../admin-statement.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';
import { asAdminErrors } from './runtime-words.ts';

async function run({ match, state }: CommandCall): Promise<CommandAnswer> {
  const { catalog, config } = state.runtime;
  const name = unquote(match[1] ?? '');
  const value = unquote((match[2] ?? '').trim());
  const variable = catalog.find(name);
  if (variable === null) throw new AdminError('wrongArgument', `${quoted(name)}: ${catalog.unknown(name)}`);
  const warnings: string[] = [];
  try {
    const next = value === variable.read(config) ? config : variable.write(config, value);
    if ('ignored' in next) warnings.push(`${name} has no effect: ${next.ignored}`);
  } catch (error) {
    throw new AdminError('wrongArgument', `${name}: ${(error as Error).message}`);
  }
  await state.runtime.setVariable(variable, value);
  return { kind: 'ok', affectedRows: 1, warnings };
}

export const setVariable: AdminCommand = {
  name: 'SET VARIABLE',
  syntax: 'SET <mysql-… | admin-… | sluice-…> = value',
  help: 'A variable of global_variables in MEMORY; LOAD {MYSQL | ADMIN | SLUICE} VARIABLES TO RUNTIME brings it into force',
  pattern: /^SET (?:GLOBAL )?((?:mysql|admin|sluice)-\w+|`(?:mysql|admin|sluice)-\w+`) ?:?= ?(\S.*)$/is,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: (call) => asAdminErrors(() => run(call)),
};
