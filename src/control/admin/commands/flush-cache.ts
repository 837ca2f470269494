import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole } from './command.ts';

const NAME = "(?:`([^`]+)`|([^\\s.`']+))";
const TABLE = new RegExp(`^'?${NAME}\\.${NAME}'?$`);
const DIGEST = /^'?(0x[0-9A-F]{16})'?$/i;

function readTable(text: string): { schema: string; table: string } {
  const found = TABLE.exec(text);
  const schema = found?.[1] ?? found?.[2];
  const table = found?.[3] ?? found?.[4];
  if (schema === undefined || table === undefined)
    throw new AdminError('wrongArgument', `FLUSH CACHE TABLE takes schema.table, not ${text}`);
  return { schema, table };
}

function readDigest(text: string): string {
  const name = DIGEST.exec(text)?.[1];
  if (name === undefined)
    throw new AdminError(
      'wrongArgument',
      `FLUSH CACHE DIGEST takes a name of SHOW CACHE: 0x and 16 digits, not ${text}`,
    );
  return `0x${name.slice(2).toUpperCase()}`;
}

export const flushCache: AdminCommand = {
  name: 'FLUSH CACHE',
  syntax: "FLUSH CACHE [TABLE schema.table | DIGEST '0x…']",
  help: 'Throws away what the result cache has: all of it, what was read of a table, or of one digest',
  pattern: /^FLUSH CACHE(?: (TABLE|DIGEST) (\S+))?$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ match, state }) => {
    const what = match[1]?.toUpperCase();
    const argument = match[2] ?? '';
    if (what === 'TABLE') {
      const { schema, table } = readTable(argument);
      state.cache.flushTable(schema, table);
    } else if (what === 'DIGEST') state.cache.flushDigest(readDigest(argument));
    else state.cache.flush();
    return { kind: 'ok' };
  },
};
