/**
 * Hits on a table that is written all the time: point selects by primary key, of which some are followed by an UPDATE of one
 * row. The same load with and without a cache, one after the other in each round; shares are those of writes.
 *
 *   node bench/cache/contended.ts --rounds 3 --seconds 5 --clients 64 --rows 10000 --protocol text
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
import { selectsOf } from './selects.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '64' },
    rows: { type: 'string', default: '10000' },
    protocol: { type: 'string', default: 'text' },
    replicas: { type: 'string', default: '0' },
    /** Of each hundred statements, how many are UPDATEs. */
    writes: { type: 'string', default: '0,5,20' },
  },
});
const PROTOCOL = values.protocol === 'prepared' ? StatementProtocol.prepared : StatementProtocol.text;
const SHARES = values.writes.split(',').map(Number);
const WARM_UP_SECONDS = 4;
const STATEMENTS = 100;

const SETUPS: Readonly<Record<string, ConfigObject>> = {
  off: { cache: { enabled: false } },
  strong: { cache: { rules: [{ ruleId: 1, class: 'strong' }] } },
};

interface Figures {
  readonly queriesPerSecond: number;
  readonly cpuMicroseconds: number;
  /** Of the reads, how many no server has seen. */
  readonly hitShare: number;
}

/** Each statement for itself, rows taken evenly. */
function mixOf(share: number): readonly string[] {
  const none = ['simple-ranges', 'sum-ranges', 'order-ranges', 'distinct-ranges', 'index-updates'];
  return [
    ...[...none, 'delete-inserts'].map((name) => `--${name.replace('-', '_')}=0`),
    `--point_selects=${STATEMENTS - share}`,
    `--non_index_updates=${share}`,
    '--skip_trx=on',
    '--rand-type=uniform',
  ];
}

async function measure(
  target: Target,
  servers: BackendServers,
  share: number,
  seconds: number,
): Promise<Figures> {
  const selects = await selectsOf(servers);
  const { report, runMicroseconds } = await measureSysbench({
    ...servers.tables,
    endpoint: endpointAt(target.port),
    workload: Workload.readWrite,
    protocol: PROTOCOL,
    clients: Number(values.clients),
    seconds,
    measuredPid: target.pid,
    mix: mixOf(share),
  });
  const reads = (report.queries * (STATEMENTS - share)) / STATEMENTS;
  return {
    queriesPerSecond: report.queriesPerSecond,
    cpuMicroseconds: runMicroseconds / report.queries,
    hitShare: 1 - ((await selectsOf(servers)) - selects) / reads,
  };
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
  const rows: string[][] = [];
  for (const share of SHARES) {
    const all = new Map<string, Figures[]>([...targets.keys()].map((name) => [name, []]));
    for (const target of targets.values()) await measure(target, servers, share, WARM_UP_SECONDS);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, target] of targets)
        all.get(name)!.push(await measure(target, servers, share, Number(values.seconds)));
    }
    const off = all.get('off')!;
    for (const [name, figures] of all)
      rows.push([
        `${share} %`,
        name,
        formatNumber(median(figures.map(({ queriesPerSecond }) => queriesPerSecond))),
        formatNumber(median(figures.map(({ cpuMicroseconds }) => cpuMicroseconds))),
        median(figures.map(({ hitShare }) => hitShare)).toFixed(3),
        median(figures.map((one, round) => one.queriesPerSecond / off[round]!.queriesPerSecond)).toFixed(2),
      ]);
  }
  process.stdout.write(
    `${renderTable(['writes', 'cache', 'q/s', 'CPU µs', 'hits', 'q/s ÷ off'], rows, 2)}\n`,
  );
} finally {
  for (const target of targets.values()) await target.stop();
  await servers.dispose();
}
