/** ProxySQL's commands about the process. */

import { nearestName } from '../../../../config/nearest-name.ts';
import { AdminError, quoted } from '../admin-error.ts';
import type { AdminState } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type CommandAnswer } from './command.ts';

type Action = (state: AdminState) => CommandAnswer | Promise<CommandAnswer>;

const DONE: CommandAnswer = { kind: 'ok' };

const nothing =
  (why: string): Action =>
  () => ({ kind: 'ok', warnings: [`It has no effect: ${why}`] });

const refused =
  (why: string): Action =>
  () => {
    throw new AdminError('wrongArgument', why);
  };

const accepting =
  (on: boolean): Action =>
  (state) => {
    state.setAccepting(on);
    return DONE;
  };

const stop =
  (signal: 'SIGTERM' | 'SIGKILL'): Action =>
  (state) => {
    // The answer goes out before.
    setImmediate(() => state.signalProcess(signal));
    return DONE;
  };

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['PAUSE', accepting(false)],
  ['STOP', accepting(false)],
  ['RESUME', accepting(true)],
  ['START', accepting(true)],
  ['SHUTDOWN', stop('SIGTERM')],
  ['SHUTDOWN SLOW', stop('SIGTERM')],
  ['KILL', stop('SIGKILL')],
  ['RESTART', refused('Sluice does not start itself again: PROXYSQL SHUTDOWN, and what runs it starts it')],
  [
    'RELOAD TLS',
    (state) => {
      const failure = state.reloadTls();
      if (failure !== null) throw new AdminError('wrongArgument', `Certificates not changed: ${failure}`);
      return DONE;
    },
  ],
  ['FLUSH CONFIGDB', nothing('SAVE … TO DISK is on the disk when it answers')],
  [
    'FLUSH QUERY CACHE',
    (state) => {
      state.cache.flush();
      return DONE;
    },
  ],
  ['FLUSH MYSQL CLIENT HOSTS', nothing('no client is refused for its host')],
  ['READONLY', nothing('who may only read is said by the role of admin.users')],
  ['READWRITE', nothing('who may only read is said by the role of admin.users')],
  ['COREDUMP', nothing('gcore does it')],
  ['MEMPROFILE START', nothing('node --inspect has a profiler')],
  ['MEMPROFILE STOP', nothing('node --inspect has a profiler')],
  ['INTERNAL SESSION', refused('SHOW SESSIONS and SHOW SESSION <id> tell what sessions do')],
]);

function run(words: string, state: AdminState): CommandAnswer | Promise<CommandAnswer> {
  const name = words.toUpperCase();
  if (name.startsWith('CLUSTER_NODE_UUID')) return nothing('Sluices form no cluster')(state);
  const action = ACTIONS.get(name);
  if (action !== undefined) return action(state);
  const nearest = nearestName(name, [...ACTIONS.keys(), 'FLUSH LOGS']);
  const hint = nearest === null ? `there are ${[...ACTIONS.keys()].join(', ')}` : `did you mean ${nearest}?`;
  throw new AdminError('syntax', `PROXYSQL ${quoted(words)} is not known; ${hint}`);
}

export const proxysql: AdminCommand = {
  name: 'PROXYSQL',
  syntax: 'PROXYSQL {PAUSE | RESUME | SHUTDOWN [SLOW] | KILL | RELOAD TLS | FLUSH CONFIGDB | …}',
  help: 'PAUSE lets no new client in, RESUME does; SHUTDOWN stops as SIGTERM does, KILL at once; RELOAD TLS reads certificates again',
  pattern: /^PROXYSQL (?!FLUSH LOGS$)(\S.*)$/is,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ match, state }) => run(match[1] ?? '', state),
};
