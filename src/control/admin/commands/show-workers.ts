import type { WorkerCounterName, WorkerSnapshot } from '../../metrics/counter-snapshot.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

function counter(name: string, from: WorkerCounterName, meaning: string): ComputedColumn<WorkerSnapshot> {
  return { name, type: 'number', meaning, value: ({ counters }) => counters[from] };
}

const COLUMNS: readonly ComputedColumn<WorkerSnapshot>[] = [
  { name: 'worker', type: 'number', meaning: 'Number of the worker thread', value: ({ index }) => index },
  { name: 'running', meaning: '`YES` or `NO`', value: ({ running }) => (running ? 'YES' : 'NO') },
  {
    name: 'restarts',
    type: 'number',
    meaning: 'Times that it crashed and was started again',
    value: ({ restarts }) => restarts,
  },
  counter('sessions', 'sessions', 'Clients connected to it now'),
  counter('pinned_sessions', 'pinnedSessions', 'Of these, bound to one server connection now'),
  counter('questions', 'questions', 'Commands received from clients'),
  counter('reads_on_replica', 'readsOnReplica', 'Statements sent to a replica'),
  counter('reads_on_primary', 'readsOnPrimary', 'Reads sent to the primary'),
  counter('writes', 'writes', 'Other statements, all sent to the primary'),
  counter('pool_waits', 'poolWaits', 'Statements that had to wait for a server connection'),
  counter('pool_timeouts', 'poolTimeouts', 'Of these, waited in vain'),
  counter('auth_failures', 'authFailures', 'Logins refused'),
  counter('errors_sent', 'errorsSent', "Errors of Sluice's own sent to clients"),
  counter('backend_lost', 'backendLost', 'Server connections that broke'),
];

export const showWorkers: AdminCommand = {
  name: 'SHOW WORKERS',
  syntax: 'SHOW WORKERS',
  help: 'The worker threads with their clients and counters',
  pattern: /^SHOW WORKERS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(state.counters().workers, COLUMNS),
};
