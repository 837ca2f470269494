import { type AdminCommand, AdminRole } from './command.ts';

/** Drivers wrap what they send in transactions; every admin command takes effect at once. */
export const transaction: AdminCommand = {
  name: 'BEGIN',
  syntax: 'BEGIN | START TRANSACTION | COMMIT | ROLLBACK',
  help: 'For drivers that send it; accepted, and nothing is undone: every command takes effect at once',
  pattern: /^(?:BEGIN(?: WORK)?|START TRANSACTION|COMMIT(?: WORK)?|ROLLBACK(?: WORK)?)$/i,
  access: AdminRole.stats,
  changes: false,
  columns: [],
  execute: () => ({ kind: 'ok' }),
};
