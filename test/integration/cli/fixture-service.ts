/** Runs the life cycle of the process around a proxy that only says what is asked of it; started by the tests. */
import { loadConfigWithSources } from '../../../config/load.ts';
import { planReload } from '../../../config/reload.ts';
import { runService } from '../../../src/cli/service.ts';
import { HandoverError } from '../../../src/control/handover/handover-error.ts';

const file = process.argv[2] ?? '';
const behaviour = process.argv[3] ?? '';

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const load = () => ({ ...loadConfigWithSources({ file, env: {}, flags: {} }), checks: null });
let inForce = load().config;
let finish: () => void = () => undefined;
const finished = new Promise<void>((resolve) => {
  finish = resolve;
});
let beats = 0;
let isSuperseded = false;
const keepAlive = setInterval(() => undefined, 60_000);

await runService({
  loaded: load(),
  read: async () => load(),
  version: '0.0.0',
  startSluice: async () => {
    if (behaviour === 'fail') throw new Error('address in use');
    if (behaviour === 'throw-later') setImmediate(() => JSON.parse('{'));
    return {
      addresses: { listen: '127.0.0.1:6033', socket: null, admin: null, http: '127.0.0.1:6080' },
      reload: async (read) => {
        const { config, changed, needRestart } = planReload(inForce, await read());
        inForce = config;
        say(`reload maxConnections=${config.pool.maxConnections} port=${config.listen.port}`);
        return { snapshotVersion: 1, changed, needRestart };
      },
      beats: () => [++beats],
      commands: () => 0,
      reopenLogs: () => say('reopen'),
      handOver: (by) => {
        say(`hand over ${by}`);
        if (behaviour === 'no-handover') return Promise.reject(new HandoverError('there is no room'));
        isSuperseded = true;
        if (behaviour !== 'clients-stay') setImmediate(finish);
        return Promise.resolve({ pid: 4711, version: '0.0.1' });
      },
      finished,
      get isSuperseded() {
        return isSuperseded;
      },
      stop: (reason) => {
        say(`stop ${reason}`);
        if (behaviour === 'hang') return new Promise(() => undefined);
        clearInterval(keepAlive);
        return Promise.resolve();
      },
    };
  },
});
