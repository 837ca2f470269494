import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole } from './command.ts';
import { OPERATION_COLUMNS, OPERATION_TIMEOUT_MS, operationAnswer } from './operation-answer.ts';
import { readServerArgument } from './server-argument.ts';

const MAX_SECONDS = 3600;

export const switchover: AdminCommand = {
  name: 'SWITCHOVER TO',
  syntax: "SWITCHOVER TO 'host:port' [TIMEOUT seconds] [DRY RUN]",
  help: 'Makes a replica the primary: clients wait, and get no error. DRY RUN shows the checks and steps, and touches nothing',
  pattern: /^SWITCHOVER TO (\S+)(?: TIMEOUT ([0-9]{1,6}))?( DRY RUN)?$/i,
  access: AdminRole.admin,
  changes: true,
  timeoutMs: OPERATION_TIMEOUT_MS,
  columns: OPERATION_COLUMNS,
  execute: async ({ state, match }) => {
    const to = readServerArgument(match[1]!);
    const seconds = match[2] === undefined ? null : Number(match[2]);
    if (seconds !== null && (seconds < 1 || seconds > MAX_SECONDS))
      throw new AdminError('wrongArgument', `TIMEOUT takes 1 to ${MAX_SECONDS} seconds`);
    const dryRun = match[3] !== undefined;
    const timeoutMs = seconds === null ? null : seconds * 1000;
    return operationAnswer(await state.operations.switchover({ to, timeoutMs, dryRun }), dryRun);
  },
};
