import type { TextValue } from '../../../../protocol/index.ts';
import {
  type AdminCommand,
  AdminRole,
  type CommandColumn,
  type CommandWarning,
  type Condition,
} from './command.ts';

/** ER_UNKNOWN_ERROR, the number of what has none of its own. */
const NO_NUMBER = 1105;

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Level', meaning: '`Note`, `Warning` or `Error`' },
  { name: 'Code', type: 'number', meaning: 'Number of the message' },
  { name: 'Message', meaning: 'What was said' },
];

export function conditionOf(warning: CommandWarning): Condition {
  return typeof warning === 'string' ? { level: 'Warning', code: NO_NUMBER, message: warning } : warning;
}

/** How Sluice has started, until somebody has settled it. */
const noticeOf = (message: string): Condition => ({ level: 'Note', code: NO_NUMBER, message });

const row = ({ level, code, message }: Condition): TextValue[] => [level, code, message];

export const showWarnings: AdminCommand = {
  name: 'SHOW WARNINGS',
  syntax: 'SHOW {WARNINGS | ERRORS | COUNT(*) {WARNINGS | ERRORS}}',
  help: 'What the command before has warned of, or how it failed; and what an operator should know of the start',
  pattern: /^SHOW (?:(COUNT ?\( ?\* ?\)) )?(?:WARNINGS|(ERRORS))(?: LIMIT \d+(?: ?, ?\d+)?)?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ session, match, state }) => {
    const errorsOnly = match[2] !== undefined;
    const shown = errorsOnly
      ? session.conditions.filter(({ level }) => level === 'Error')
      : session.conditions;
    if (match[1] === undefined) {
      const isOperator = !errorsOnly && session.role === AdminRole.admin;
      const rows = [...shown, ...(isOperator ? state.runtime.notices.map(noticeOf) : [])].map(row);
      return { kind: 'rows', columns: COLUMNS, rows, keepsWarnings: true };
    }
    const name = errorsOnly ? '@@session.error_count' : '@@session.warning_count';
    return { kind: 'rows', columns: [{ name, type: 'number' }], rows: [[shown.length]], keepsWarnings: true };
  },
};
