/**
 * What writes cost with the cache: CPU of the Sluice process per statement, of the same load through three Sluices in front of one
 * primary, in many short rounds. `off`: no cache at all; `idle`: nothing is cached, but could be; `strong`: everything is, and
 * the follower reads the binlog, in the main thread, which has a limit of its own (`follower.ts`): what a write itself costs is
 * the workers' time.
 *
 *   node bench/cache/writes.ts --rounds 30 --workload oltp_update_non_index --workload oltp_write_only
 */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { oneOf } from '../e2e/arguments.ts';
import { BackendServers } from '../e2e/backend-servers.ts';
import { describeMachine } from '../e2e/machine.ts';
import { ratioText } from '../e2e/paired-ratio.ts';
import { ratiosTo, type Side, Sides, sidesTable } from '../e2e/sides.ts';
import { StatementProtocol, Workload } from '../e2e/sysbench.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '1' },
    warmUpSeconds: { type: 'string', default: '4' },
    clients: { type: 'string', default: '16' },
    rows: { type: 'string', default: '100000' },
    /** Autocommitted ones, and transactions. */
    workload: { type: 'string', multiple: true, default: [Workload.update, Workload.writeOnly] },
    protocol: { type: 'string', default: StatementProtocol.text },
    replicas: { type: 'string', default: '0' },
    /** The checkout of all three. */
    directory: { type: 'string', default: '.' },
  },
});
const MOST = 1.03;
const workloads = values.workload.map((one) => oneOf('workload', one, Object.values(Workload)));
const protocol = oneOf('protocol', values.protocol, Object.values(StatementProtocol));
const directory = resolve(values.directory);
const setups: readonly Side[] = [
  { name: 'off', directory, config: { cache: { enabled: false } } },
  { name: 'idle', directory, config: { cache: { enabled: true } } },
  { name: 'strong', directory, config: { cache: { rules: [{ ruleId: 1, class: 'strong' }] } } },
];

process.stdout.write(`${JSON.stringify({ ...values, machine: await describeMachine() })}\n`);
const servers = await BackendServers.start(Number(values.replicas), {
  tables: 1,
  rowsPerTable: Number(values.rows),
});
const clients = Number(values.clients);
let sides: Sides | null = null;
try {
  sides = await Sides.start(servers, setups, clients);
  for (const workload of workloads) {
    const load = { workload, protocol, clients, seconds: Number(values.seconds), together: false };
    const figures = await sides.measure(load, Number(values.rounds), Number(values.warmUpSeconds));
    process.stdout.write(`\n${workload}\n${sidesTable(figures)}\n`);
    const off = figures.get('off')!;
    for (const name of ['idle', 'strong']) {
      const { workerCpu } = ratiosTo(off, figures.get(name)!);
      const reached = workerCpu.median <= MOST;
      process.stdout.write(
        `${reached ? 'reached' : 'MISSED '}  the workers' CPU per statement, ${name} ÷ off: ${ratioText(workerCpu)}, at most ${MOST}\n`,
      );
      if (!reached) process.exitCode = 1;
    }
  }
} finally {
  await sides?.stop();
  await servers.dispose();
}
