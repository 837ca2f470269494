import { type AdminCommand, AdminRole } from './command.ts';

const COLUMNS = [{ name: 'Data', meaning: 'The page of `/metrics`, in one text' }] as const;

export const showPrometheusMetrics: AdminCommand = {
  name: 'SHOW PROMETHEUS METRICS',
  syntax: 'SHOW PROMETHEUS METRICS',
  help: 'What /metrics answers, for those who have no way to the http port',
  pattern: /^SHOW PROMETHEUS METRICS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state }) => ({ kind: 'rows', columns: COLUMNS, rows: [[await state.metricsPage()]] }),
};
