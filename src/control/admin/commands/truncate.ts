import { nearestName } from '../../../../config/nearest-name.ts';
import { AdminError, quoted } from '../admin-error.ts';
import { unquote } from '../admin-statement.ts';
import { ALL_VIRTUAL_TABLES, virtualTableNamed } from '../virtual-tables/all-virtual-tables.ts';
import { type AdminCommand, AdminRole } from './command.ts';

export const truncate: AdminCommand = {
  name: 'TRUNCATE',
  syntax: 'TRUNCATE [TABLE] [stats.]<table>',
  help: 'Begins to count anew in a table of statistics',
  pattern: /^TRUNCATE (?:TABLE )?(?:`?stats`?\.)?(`[^`]+`|\w+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: async ({ match, state }) => {
    const name = unquote(match[1]!).toLowerCase();
    const table = virtualTableNamed(name);
    if (table?.reset === undefined) {
      const resettable = ALL_VIRTUAL_TABLES.filter(({ reset }) => reset !== undefined);
      const nearest = nearestName(
        name,
        resettable.map((known) => known.table),
      );
      const hint = nearest === null ? '' : `, did you mean ${nearest}?`;
      throw new AdminError(
        'wrongArgument',
        `${quoted(name)} cannot be truncated${hint}; DELETE FROM empties a table`,
      );
    }
    await table.reset(state);
    return { kind: 'ok' };
  },
};
