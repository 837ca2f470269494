/**
 * What writes cost with the cache: the same load through three Sluices, one after the other in each round. `off`: no cache
 * at all; `idle`: nothing is cached, but could be; `strong`: everything is, and the follower reads the binlog.
 *
 *   node bench/cache/writes.ts --rounds 8 --seconds 5 --clients 16 --workload oltp_update_non_index
 */

import { parseArgs } from 'node:util';
import type { ConfigObject } from '../../test/support/sluice-process.ts';
import { BackendServers, endpointAt } from '../e2e/backend-servers.ts';
import { describeMachine } from '../e2e/machine.ts';
import { median } from '../e2e/measurement.ts';
import { measureSysbench, StatementProtocol, Workload } from '../e2e/sysbench.ts';
import { startSluice } from '../e2e/targets/sluice-target.ts';
import type { Target } from '../e2e/targets/target.ts';
import { formatNumber, renderTable } from '../e2e/text-table.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '16' },
    rows: { type: 'string', default: '100000' },
    workload: { type: 'string', default: Workload.update },
    replicas: { type: 'string', default: '0' },
  },
});
const workload = Object.values(Workload).find((one) => one === values.workload);
if (workload === undefined)
  throw new Error(`--workload ${values.workload} is none of ${Object.values(Workload).join(', ')}`);

const SETUPS: Readonly<Record<string, ConfigObject>> = {
  off: { cache: { enabled: false } },
  idle: { cache: { enabled: true } },
  strong: { cache: { rules: [{ ruleId: 1, class: 'strong' }] } },
};
const MOST = 1.03;
const WARM_UP_SECONDS = 3;

interface Figures {
  readonly queriesPerSecond: number;
  readonly cpuMicroseconds: number;
}

async function measure(target: Target, servers: BackendServers, seconds: number): Promise<Figures> {
  const { report, cpu } = await measureSysbench({
    ...servers.tables,
    endpoint: endpointAt(target.port),
    workload: workload!,
    protocol: StatementProtocol.text,
    clients: Number(values.clients),
    seconds,
    measuredPid: target.pid,
  });
  await servers.settle();
  const spent = cpu === null ? Number.NaN : cpu.userMicroseconds + cpu.systemMicroseconds;
  return { queriesPerSecond: report.queriesPerSecond, cpuMicroseconds: spent / report.queries };
}

process.stdout.write(`${JSON.stringify({ ...values, machine: await describeMachine() })}\n`);
const servers = await BackendServers.start(Number(values.replicas), {
  tables: 1,
  rowsPerTable: Number(values.rows),
});
const targets = new Map<string, Target>();
try {
  for (const [name, sluiceConfig] of Object.entries(SETUPS)) {
    const common = { set: servers.set, threads: 1, maxBusyClients: Number(values.clients), sluiceArgs: [] };
    targets.set(name, await startSluice({ ...common, base: null, proxysqlBinary: null, sluiceConfig }));
  }
  const all = new Map<string, Figures[]>([...targets.keys()].map((name) => [name, []]));
  for (const target of targets.values()) await measure(target, servers, WARM_UP_SECONDS);
  for (let round = 0; round < Number(values.rounds); round++) {
    // In turn the first: who comes first in a round would always find the quieter server.
    const order = [...targets];
    for (let n = 0; n < order.length; n++) {
      const [name, target] = order[(n + round) % order.length]!;
      all.get(name)!.push(await measure(target, servers, Number(values.seconds)));
    }
  }
  const off = all.get('off')!;
  const ratio = (figures: readonly Figures[], figure: keyof Figures): number =>
    median(figures.map((one, round) => one[figure] / off[round]![figure]));
  const rows = [...all].map(([name, figures]) => [
    name,
    formatNumber(median(figures.map(({ queriesPerSecond }) => queriesPerSecond))),
    formatNumber(median(figures.map(({ cpuMicroseconds }) => cpuMicroseconds))),
    ratio(figures, 'queriesPerSecond').toFixed(3),
    ratio(figures, 'cpuMicroseconds').toFixed(3),
  ]);
  process.stdout.write(`${renderTable(['cache', 'q/s', 'CPU µs', 'q/s ÷ off', 'CPU ÷ off'], rows, 1)}\n\n`);
  for (const name of ['idle', 'strong']) {
    const cost = 1 / ratio(all.get(name)!, 'queriesPerSecond');
    const reached = cost <= MOST;
    process.stdout.write(
      `${reached ? 'reached' : 'MISSED '}  time per write, ${name} ÷ off: ${cost.toFixed(3)}, at most ${MOST}\n`,
    );
    if (!reached) process.exitCode = 1;
  }
} finally {
  for (const target of targets.values()) await target.stop();
  await servers.dispose();
}
