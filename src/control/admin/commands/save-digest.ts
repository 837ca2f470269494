import { saveDigests } from '../../statistics/save-digests.ts';
import { AdminError } from '../admin-error.ts';
import { digestRow } from '../virtual-tables/stats-query-digest.ts';
import { type AdminCommand, AdminRole } from './command.ts';

export const saveDigest: AdminCommand = {
  name: 'SAVE MYSQL DIGEST TO DISK',
  syntax: 'SAVE MYSQL DIGEST TO DISK',
  help: 'Moves what has been counted of digests to stats_history.history_mysql_query_digest; they are counted anew',
  pattern: /^SAVE MYSQL DIGEST TO DISK$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: async ({ state }) => {
    if (state.store.dataDir === null)
      throw new AdminError('wrongArgument', 'There is no disk to save to: dataDir is not set');
    const { rows, missing } = await state.statistics.digests(true);
    await saveDigests(state.store, rows.map(digestRow), Math.floor(Date.now() / 1000));
    const warnings = missing.map(
      (worker) => `Worker ${worker} has not answered in time: its digests are not among those saved`,
    );
    return { kind: 'ok', affectedRows: rows.length, warnings };
  },
};
