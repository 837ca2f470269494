import type { ShadowRecord } from '../../../common/shadow-report.ts';
import { type ShadowRow, shadowRows } from '../../query-rules/shadow-rows.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { askWorkers } from './worker-answers.ts';

const COLUMNS: readonly ComputedColumn<ShadowRow>[] = [
  {
    name: 'kind',
    meaning:
      '`total` of all statements, `rule` of a shadow rule, or `sample` of a digest for which something would change',
    value: ({ kind }) => kind,
  },
  {
    name: 'what',
    meaning:
      'What would change: `elsewhere`, `blocked`, `allowed`, `answered`, `rewritten`, `otherwise` (time-outs and the like); `statements` for all that were looked at; the number of the rule',
    value: ({ what }) => what,
  },
  {
    name: 'statements',
    type: 'number',
    meaning:
      'Statements (text, and executions of prepared ones) since the rules and the shadow are what they are',
    value: ({ statements }) => statements,
  },
  { name: 'current', meaning: 'As it is', value: ({ current }) => current },
  { name: 'shadow', meaning: 'As it would be', value: ({ shadow }) => shadow },
  { name: 'digest', meaning: 'Digest', value: ({ digest }) => digest },
  {
    name: 'digest_text',
    meaning: 'The statement without its literals',
    value: ({ digestText }) => digestText,
  },
  { name: 'username', meaning: 'User', value: ({ username }) => username },
  { name: 'schemaname', meaning: 'Schema of the session', value: ({ schema }) => schema },
];

export const showShadow: AdminCommand = {
  name: 'SHOW SHADOW',
  syntax: 'SHOW SHADOW',
  help: 'What the shadow rules would change, counted on the statements of clients, with samples',
  pattern: /^SHOW SHADOW$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state }) => {
    const { shadow, warnings } = await askWorkers(state, { subject: 'shadow', connectionId: null, limit: 0 });
    return { ...table(shadowRows(shadow), COLUMNS), warnings: [...warnings, ...warningsOf(shadow)] };
  },
};

function warningsOf(records: readonly ShadowRecord[]): string[] {
  if (records.length === 0)
    return ['No rules are loaded as shadow: LOAD MYSQL QUERY RULES TO SHADOW does that'];
  const count = records.reduce((sum, record) => sum + record.unsampled, 0);
  return count === 0 ? [] : [`${count} changes are counted and not among the samples, which were full`];
}
