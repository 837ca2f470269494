import { type AdminCommand, AdminRole } from './command.ts';
import { OPERATION_COLUMNS, OPERATION_TIMEOUT_MS, operationAnswer } from './operation-answer.ts';
import { readServerArgument } from './server-argument.ts';

export const rejoin: AdminCommand = {
  name: 'REJOIN',
  syntax: "REJOIN 'host:port' [DRY RUN]",
  help: 'Makes a server read-only and a replica of the primary, unless it has transactions that the primary has not',
  pattern: /^REJOIN (\S+)( DRY RUN)?$/i,
  access: AdminRole.admin,
  changes: true,
  timeoutMs: OPERATION_TIMEOUT_MS,
  columns: OPERATION_COLUMNS,
  execute: async ({ state, match }) => {
    const address = readServerArgument(match[1]!);
    const dryRun = match[2] !== undefined;
    return operationAnswer(await state.operations.rejoin({ address, dryRun }), dryRun);
  },
};
