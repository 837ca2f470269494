/**
 * Small differences of CPU time between checkouts or configurations of Sluice: many short rounds in turn, the median of the
 * ratios within a round, and its interval. The first side is what the others are compared with.
 *
 *   node bench/e2e/paired.ts --side before=../before --side now=. --protocol prepared --rounds 40
 *   node bench/e2e/paired.ts --side 'off=.:{"cache":{"enabled":false}}' --side on=. --workload oltp_update_non_index
 *
 * The same side twice, under two names, says what the noise is.
 */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { oneOf } from './arguments.ts';
import { BackendServers } from './backend-servers.ts';
import { describeMachine } from './machine.ts';
import { type Side, Sides, sidesTable } from './sides.ts';
import { StatementProtocol, Workload } from './sysbench.ts';

const { values } = parseArgs({
  options: {
    /** `name=directory`, or `name=directory:{configuration as JSON}`. */
    side: { type: 'string', multiple: true, default: [] },
    workload: { type: 'string', default: Workload.pointSelect },
    protocol: { type: 'string', default: StatementProtocol.text },
    clients: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '1' },
    warmUpSeconds: { type: 'string', default: '4' },
    rows: { type: 'string', default: '10000' },
    replicas: { type: 'string', default: '0' },
    /** At the same time: for a machine that has other things to do. */
    together: { type: 'boolean', default: false },
  },
});

function sideOf(text: string): Side {
  const match = /^([^=]+)=([^:]+)(?::(.*))?$/s.exec(text);
  if (match === null) throw new Error(`--side ${text} is no name=directory`);
  const [, name = '', directory = '', config] = match;
  return { name, directory: resolve(directory), config: config === undefined ? {} : JSON.parse(config) };
}

const load = {
  workload: oneOf('workload', values.workload, Object.values(Workload)),
  protocol: oneOf('protocol', values.protocol, Object.values(StatementProtocol)),
  clients: Number(values.clients),
  seconds: Number(values.seconds),
  together: values.together,
};
const given = values.side.map(sideOf);
if (given.length < 2) throw new Error('there is nothing to compare: give --side twice');
process.stdout.write(`${JSON.stringify({ ...values, machine: await describeMachine() })}\n`);
const servers = await BackendServers.start(Number(values.replicas), {
  tables: 1,
  rowsPerTable: Number(values.rows),
});
let sides: Sides | null = null;
try {
  sides = await Sides.start(servers, given, load.clients);
  const figures = await sides.measure(load, Number(values.rounds), Number(values.warmUpSeconds));
  process.stdout.write(`${sidesTable(figures)}\n`);
} finally {
  await sides?.stop();
  await servers.dispose();
}
