// sluice-test: nightly timeout=300
/** The whole bench, as small as it gets: real servers, every proxy of this machine, every kind of measurement. */

import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { BenchReport } from '../../../bench/e2e/report.ts';
import { findProgramIfAny } from '../../support/find-program.ts';
import { nodeProgram } from '../../support/node-program.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TIMEOUT_MS = 240_000;
t.setTimeout(TIMEOUT_MS);

const missing: string[] = [];
for (const program of ['sysbench', 'haproxy']) {
  if ((await findProgramIfAny([program])) === null) missing.push(program);
}

t.test(
  'a small run measures every scenario on every target',
  {
    skip: missing.length > 0 ? `not installed: ${missing.join(', ')} (setup.sh bench)` : false,
    timeout: TIMEOUT_MS,
  },
  async (t) => {
    const { stdout } = await promisify(execFile)(
      await nodeProgram(),
      [
        'bench/e2e/bench.ts',
        ...[
          '--only',
          'point-select,churn,idle,big-result,flood,prepares',
          '--protocols',
          'text',
          '--clients',
          '2',
        ],
        ...['--seconds', '1', '--repeat', '1', '--replicas', '1'],
        ...[
          '--idle-clients',
          '50',
          '--flood-statements',
          '500',
          '--prepared-statements',
          '400',
          '--big-result-mb',
          '20',
        ],
      ],
      { cwd: ROOT, timeout: TIMEOUT_MS, maxBuffer: 1 << 24 },
    );
    const files = [...stdout.matchAll(/^written: (.*)$/gm)].map((match) => match[1]!);
    t.teardown(() => Promise.all(files.map((file) => rm(file, { force: true }))));
    t.same(
      files.map((file) => file.replace(/.*\./, '')),
      ['json', 'txt', 'svg'],
    );

    const report: BenchReport = JSON.parse(await readFile(files[0]!, 'utf8'));
    t.same(report.failures, []);
    t.equal(report.measurements.length, 7 * 3, 'seven points, three targets');
    const values = (scenario: string, target: string) =>
      report.measurements.find((one) => one.scenario === scenario && one.target === target)?.values ?? {};
    for (const target of ['haproxy', 'sluice']) {
      t.ok(values('point-select', target).cpuMicroseconds! > 0, `${target} costs CPU time`);
      t.ok(values('point-select', target).residentBytes! > 1_000_000, `${target} takes memory`);
      t.equal(values('flood', target).floodStatements, 500);
    }
    t.equal(values('prepares', 'haproxy').statementsLeft, 0, 'closed ones are gone');
    t.ok(values('prepares', 'sluice').statementsLeft! <= 400, 'no more are left than were made');
    t.equal(values('point-select', 'direct').cpuMicroseconds, undefined);
    t.ok(values('big-result', 'sluice').megabytesPerSecond! > 0);
    t.ok(report.verdicts.length >= 4);
  },
);
