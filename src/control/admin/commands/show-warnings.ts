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

const row = ({ level, code, message }: Condition): TextValue[] => [level, code, message];

export const showWarnings: AdminCommand = {
  name: 'SHOW WARNINGS',
  syntax: 'SHOW {WARNINGS | ERRORS | COUNT(*) {WARNINGS | ERRORS}}',
  help: 'What the command before has warned of, or how it failed',
  pattern: /^SHOW (?:(COUNT ?\( ?\* ?\)) )?(?:WARNINGS|(ERRORS))(?: LIMIT \d+(?: ?, ?\d+)?)?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ session, match }) => {
    const errorsOnly = match[2] !== undefined;
    const shown = errorsOnly
      ? session.conditions.filter(({ level }) => level === 'Error')
      : session.conditions;
    if (match[1] === undefined)
      return { kind: 'rows', columns: COLUMNS, rows: shown.map(row), keepsWarnings: true };
    const name = errorsOnly ? '@@session.error_count' : '@@session.warning_count';
    return { kind: 'rows', columns: [{ name, type: 'number' }], rows: [[shown.length]], keepsWarnings: true };
  },
};
