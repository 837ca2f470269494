import { type AdminCommand, AdminRole } from './command.ts';
import { OPERATION_COLUMNS, OPERATION_TIMEOUT_MS, operationAnswer } from './operation-answer.ts';

export const failover: AdminCommand = {
  name: 'FAILOVER',
  syntax: 'FAILOVER [DRY RUN]',
  help: 'Puts the replica with the most transactions in the place of a primary that is dead',
  pattern: /^FAILOVER( DRY RUN)?$/i,
  access: AdminRole.admin,
  changes: true,
  timeoutMs: OPERATION_TIMEOUT_MS,
  columns: OPERATION_COLUMNS,
  execute: async ({ state, match }) => {
    const dryRun = match[1] !== undefined;
    return operationAnswer(await state.failover(dryRun), dryRun);
  },
};
