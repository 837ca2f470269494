import { answerSql } from '../sql/run-sql.ts';
import { type AdminCommand, AdminRole } from './command.ts';

const SHORT =
  'SELECT SessionID, user, db, hostgroup, command, time_ms, substr(info, 1, 100) AS info FROM stats_mysql_processlist';

export const showProcesslist: AdminCommand = {
  name: 'SHOW PROCESSLIST',
  syntax: 'SHOW [FULL] PROCESSLIST',
  help: 'The sessions of clients, as in stats_mysql_processlist; SHOW SESSIONS tells more',
  pattern: /^SHOW (FULL )?PROCESSLIST$/i,
  access: AdminRole.stats,
  changes: false,
  columns: [],
  execute: (call) =>
    answerSql(call, call.match[1] === undefined ? SHORT : 'SELECT * FROM stats_mysql_processlist'),
};
