/**
 * The number to watch while changing the hot path: point selects against a port, and what the process behind it
 * costs for each.
 *
 *   node bench/e2e/cpu-per-query.ts --port 6033 --pid 4711 [--clients 64] [--seconds 5] [--protocol text]
 *     [--workload oltp_point_select] [--repeat 1] [--host 127.0.0.1] [--username sbtest] [--password sbtest]
 *     [--database sbtest] [--tables 1] [--rows 20000] [--prepare]
 */

import { parseArgs } from 'node:util';
import { oneOf } from './arguments.ts';
import { measureSysbench, prepareSysbenchTables, StatementProtocol, Workload } from './sysbench.ts';

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '6033' },
    pid: { type: 'string' },
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    repeat: { type: 'string', default: '1' },
    protocol: { type: 'string', default: StatementProtocol.text },
    workload: { type: 'string', default: Workload.pointSelect },
    username: { type: 'string', default: 'sbtest' },
    password: { type: 'string', default: 'sbtest' },
    database: { type: 'string', default: 'sbtest' },
    tables: { type: 'string', default: '1' },
    rows: { type: 'string', default: '20000' },
    prepare: { type: 'boolean', default: false },
  },
});

function positiveInteger(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} ${value} is not a positive integer`);
  return number;
}

const endpoint = {
  host: options.host,
  port: positiveInteger('port', options.port),
  username: options.username,
  password: options.password,
  database: options.database,
};
const size = {
  tables: positiveInteger('tables', options.tables),
  rowsPerTable: positiveInteger('rows', options.rows),
};
if (options.prepare) await prepareSysbenchTables(endpoint, size);

const format = (value: number) => value.toFixed(2).padStart(8);
for (let round = 0; round < positiveInteger('repeat', options.repeat); round++) {
  const { report, cpu } = await measureSysbench({
    ...size,
    endpoint,
    workload: oneOf('workload', options.workload, Object.values(Workload)),
    protocol: oneOf('protocol', options.protocol, Object.values(StatementProtocol)),
    clients: positiveInteger('clients', options.clients),
    seconds: positiveInteger('seconds', options.seconds),
    measuredPid: options.pid === undefined ? null : positiveInteger('pid', options.pid),
  });
  const { latency } = report;
  let line = `${report.queriesPerSecond.toFixed(0).padStart(7)} queries/s   p50${format(latency.p50Ms)} ms   p95${format(latency.p95Ms)} ms   p99${format(latency.p99Ms)} ms`;
  if (cpu !== null) {
    const user = cpu.userMicroseconds / report.queries;
    const system = cpu.systemMicroseconds / report.queries;
    line += `   CPU/query${format(user + system)} µs (user${format(user)}, system${format(system)})`;
  }
  console.log(line);
}
