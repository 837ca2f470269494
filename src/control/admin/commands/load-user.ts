import { AdminError, quoted } from '../admin-error.ts';
import { unquote } from '../admin-statement.ts';
import { type AdminCommand, AdminRole } from './command.ts';
import { asAdminErrors, Layer, layerOf, originOf } from './runtime-words.ts';

export const loadUser: AdminCommand = {
  name: 'LOAD MYSQL USER',
  syntax: 'LOAD MYSQL USER <name> TO RUNTIME',
  help: 'One account of MEMORY comes into force, or goes if MEMORY has it no more',
  pattern: /^LOAD MYSQL USER (\S+|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`) (?:TO|FROM) (\w+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: (call) =>
    asAdminErrors(async () => {
      const [, name = '', layer = ''] = call.match;
      if (![Layer.runtime, Layer.memory].some((each) => each === layerOf(layer)))
        throw new AdminError('syntax', 'Expected LOAD MYSQL USER <name> TO RUNTIME');
      const username = unquote(name);
      const outcome = await call.state.runtime.loadUser(username, originOf(call));
      if (outcome === null)
        throw new AdminError('wrongArgument', `mysql_users has no user ${quoted(username)}, nor has RUNTIME`);
      const { version, warnings } = outcome;
      return { kind: 'ok', info: `version ${version.number} is in force`, warnings };
    }),
};
