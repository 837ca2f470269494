/**
 * A series of runs of one scenario on fresh servers, with exact counts:
 *
 *     node bench/failover/series.ts --scenario kill --flavor mariadb --runs 20
 *
 * Prints one line per run and a summary, and writes all of it as JSON. Exit code 1 if a promise was broken in any run.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import { type RunResult, runScenario } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { runLine, summarise, summaryText } from './series-report.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'switchover' },
    flavor: { type: 'string', default: ServerFlavor.mariadb },
    runs: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    'bank-clients': { type: 'string', default: '16' },
    'sysbench-clients': { type: 'string', default: '32' },
    output: { type: 'string' },
  },
});

const scenario = SCENARIOS.get(values.scenario);
const flavor = Object.values(ServerFlavor).find((one) => one === values.flavor);
if (scenario === undefined || flavor === undefined) {
  const scenarios = [...SCENARIOS.values()].map(({ name, description }) => `  ${name}: ${description}\n`);
  process.stderr.write(
    `--flavor ${Object.values(ServerFlavor).join('|')}\n--scenario\n${scenarios.join('')}`,
  );
  process.exit(2);
}

const options = {
  flavor,
  bankClients: Number(values['bank-clients']),
  sysbenchClients: Number(values['sysbench-clients']),
  seconds: Number(values.seconds),
};
const results: RunResult[] = [];
const crashes: string[] = [];
for (let number = 1; number <= Number(values.runs); number++) {
  try {
    const result = await runScenario(scenario, options);
    results.push(result);
    process.stdout.write(`${runLine(number, result)}\n`);
  } catch (error) {
    crashes.push((error as Error).message);
    process.stdout.write(`run ${number}: FAILED: ${(error as Error).message}\n`);
  }
}
const summary = results.length === 0 ? null : summarise(results);
const output =
  values.output ??
  join(dirname(fileURLToPath(import.meta.url)), 'results', `${scenario.name}-${flavor}.json`);
mkdirSync(dirname(output), { recursive: true });
writeFileSync(
  output,
  `${JSON.stringify({ scenario: scenario.name, ...options, summary, crashes, results }, null, 1)}\n`,
);
if (summary !== null) process.stdout.write(`\n${scenario.name} on ${flavor}\n${summaryText(summary)}`);
process.exit(crashes.length === 0 && summary !== null && summary.good === summary.runs ? 0 : 1);
