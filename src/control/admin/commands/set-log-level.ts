import { nearestName } from '../../../../config/nearest-name.ts';
import { LOG_LEVELS, type LogThreshold } from '../../../common/logger.ts';
import { AdminError, quoted } from '../admin-error.ts';
import { unquote } from '../admin-statement.ts';
import { type AdminCommand, AdminRole } from './command.ts';

const THRESHOLDS: readonly LogThreshold[] = [...LOG_LEVELS, 'silent'];

export const setLogLevel: AdminCommand = {
  name: 'SET LOG LEVEL',
  syntax: `SET LOG LEVEL {${THRESHOLDS.join(' | ')}}`,
  help: 'Least important level that is logged, by all threads, until the configuration is read again',
  pattern: /^SET LOG LEVEL(?: ?= ?| TO | )(\S+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ match, state }) => {
    const wanted = unquote(match[1] ?? '').toLowerCase();
    const level = THRESHOLDS.find((each) => each === wanted);
    if (level === undefined) {
      const nearest = nearestName(wanted, THRESHOLDS);
      const hint = nearest === null ? THRESHOLDS.join(', ') : `did you mean ${nearest}?`;
      throw new AdminError('wrongArgument', `${quoted(wanted)} is no level of the log; ${hint}`);
    }
    state.setLogLevel(level);
    return { kind: 'ok' };
  },
};
