/** ProxySQL's commands about the process. */

import { nearestName } from '../../../../config/nearest-name.ts';
import { HandoverError } from '../../handover/handover-error.ts';
import { AdminError, quoted } from '../admin-error.ts';
import type { AdminState } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type CommandAnswer } from './command.ts';
import { asAdminErrors } from './runtime-words.ts';

type Action = (state: AdminState, by: string) => CommandAnswer | Promise<CommandAnswer>;

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

/** The answer goes out before the old process, which this is, ends its sessions. */
const restart: Action = async (state, by) => {
  try {
    const { pid, version } = await state.handOver(`PROXYSQL RESTART of ${by}`);
    return { kind: 'ok', info: `process ${pid}, version ${version}, has taken over` };
  } catch (error) {
    if (!(error instanceof HandoverError)) throw error;
    throw new AdminError('wrongArgument', `Not restarted, all is as before: ${error.message}`);
  }
};

/** Clients show a short text, of some 200 characters. */
const MOST_NAMED = 3;
function some(settings: readonly string[]): string {
  const more = settings.length - MOST_NAMED;
  return `${settings.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const reloadConfig: Action = (state) =>
  asAdminErrors(async () => {
    const { changed, needRestart } = await state.reloadFile();
    const info = changed.length === 0 ? 'nothing has changed' : `changed: ${some(changed)}`;
    if (needRestart.length === 0) return { kind: 'ok', info };
    const warnings = [`these need a restart: ${needRestart.join(', ')}`];
    return { kind: 'ok', info: `${info}; needs a restart: ${some(needRestart)}`, warnings };
  });

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['PAUSE', accepting(false)],
  ['STOP', accepting(false)],
  ['RESUME', accepting(true)],
  ['START', accepting(true)],
  ['SHUTDOWN', stop('SIGTERM')],
  ['SHUTDOWN SLOW', stop('SIGTERM')],
  ['KILL', stop('SIGKILL')],
  ['RESTART', restart],
  ['RELOAD CONFIG', reloadConfig],
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

function run(words: string, state: AdminState, by: string): CommandAnswer | Promise<CommandAnswer> {
  const name = words.toUpperCase();
  if (name.startsWith('CLUSTER_NODE_UUID')) return nothing('Sluices form no cluster')(state, by);
  const action = ACTIONS.get(name);
  if (action !== undefined) return action(state, by);
  const nearest = nearestName(name, [...ACTIONS.keys(), 'FLUSH LOGS']);
  const hint = nearest === null ? `there are ${[...ACTIONS.keys()].join(', ')}` : `did you mean ${nearest}?`;
  throw new AdminError('syntax', `PROXYSQL ${quoted(words)} is not known; ${hint}`);
}

export const proxysql: AdminCommand = {
  name: 'PROXYSQL',
  syntax:
    'PROXYSQL {PAUSE | RESUME | RESTART | SHUTDOWN [SLOW] | KILL | RELOAD {TLS | CONFIG} | FLUSH CONFIGDB | …}',
  help: 'PAUSE lets no new client in, RESUME does; RESTART starts the program again, which takes over the listening sockets (`sluice reload --binary`); SHUTDOWN stops as SIGTERM does, KILL at once; RELOAD TLS reads certificates again, RELOAD CONFIG the configuration file, as SIGHUP does (`sluice reload`)',
  pattern: /^PROXYSQL (?!FLUSH LOGS$)(\S.*)$/is,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  // Longer than the longest `handover.startTimeoutMs` that anybody should want.
  timeoutMs: 600_000,
  execute: ({ match, state, session }) => run(match[1] ?? '', state, session.username),
};
