import { spawn } from 'node:child_process';
import t from 'tap';
import {
  cpuTimeBetween,
  parseProcessStat,
  parseProcessStatus,
  parseRunTime,
  readCpuTime,
  readMemoryUse,
  readRunTime,
  resetPeakMemory,
} from '../../../bench/e2e/process-usage.ts';

const STAT =
  '4711 (a (strange) name) S 1 4711 4711 0 -1 4194304 1234 5 6 7 250 75 9 8 20 0 11 0 4000 1000000 2500 18446744073709551615 0';

t.test('utime and stime are found behind a command with spaces and parentheses', async (t) => {
  t.same(parseProcessStat(STAT), { userMicroseconds: 2_500_000, systemMicroseconds: 750_000 });
});

t.test('a text that is no stat line is refused', async (t) => {
  t.throws(() => parseProcessStat(''), /not a line/);
  t.throws(() => parseProcessStat('4711 (node) S 1 2'), /not a line/);
  t.throws(() => parseProcessStat('utime stime'), /not a line/);
});

t.test('VmRSS and VmHWM in bytes', async (t) => {
  const status =
    'Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 1 kB\n';
  t.same(parseProcessStatus(status), { residentBytes: 1_048_576, peakResidentBytes: 2_097_152 });
  t.throws(() => parseProcessStatus('Name:\tkthread\n'), /no VmRSS/);
});

t.test('a difference of CPU times', async (t) => {
  const before = { userMicroseconds: 10_000, systemMicroseconds: 20_000 };
  const after = { userMicroseconds: 40_000, systemMicroseconds: 20_000 };
  t.same(cpuTimeBetween(before, after), { userMicroseconds: 30_000, systemMicroseconds: 0 });
});

t.test('a real process: CPU time of a busy thread counts, and the peak can be reset', async (t) => {
  const program = `
    const { Worker } = require('node:worker_threads');
    new Worker("while (process.threadCpuUsage().user < 150_000);", { eval: true })
      .on('exit', () => process.stdout.write('busy thread over'));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const pid = child.pid!;
  const before = await readCpuTime(pid);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const used = cpuTimeBetween(before, await readCpuTime(pid));
  t.ok(used.userMicroseconds + used.systemMicroseconds >= 140_000, 'the ended thread is in the sum');
  await resetPeakMemory(pid);
  const memory = await readMemoryUse(pid);
  t.ok(memory.residentBytes > 1_000_000);
  t.ok(memory.peakResidentBytes >= memory.residentBytes);
});

t.test('the run time of a thread is exact', async (t) => {
  t.equal(parseRunTime('3144722651 2837211 32\n'), 3_144_722.651);
  t.throws(() => parseRunTime('3144722651'), /not a schedstat/);
  const before = await readRunTime(process.pid);
  const until = performance.now() + 20;
  while (performance.now() < until);
  t.ok((await readRunTime(process.pid)) > before);
});
