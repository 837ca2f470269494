import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type Microbenchmark, measure } from '../../../bench/micro/harness.ts';

const DIRECTORY = join(import.meta.dirname, '../../../bench/micro');

t.test('every file has benchmarks, and each runs', async (t) => {
  const files = (await readdir(DIRECTORY)).filter(
    (file) => file.endsWith('.ts') && file !== 'run.ts' && file !== 'harness.ts',
  );
  t.ok(files.length > 0);
  const names: string[] = [];
  for (const file of files) {
    const { benchmarks }: { benchmarks: readonly Microbenchmark[] } = await import(join(DIRECTORY, file));
    for (const benchmark of benchmarks) {
      names.push(benchmark.name);
      t.ok(Number.isFinite(benchmark.run(3)), benchmark.name);
    }
  }
  t.equal(new Set(names).size, names.length, 'no two have the same name');
});

t.test('a measurement has a median between its extremes, and keeps the limit of its benchmark', async (t) => {
  const spinning = (loops: number): Microbenchmark => ({
    name: `${loops} loops`,
    maxNanoseconds: 1,
    run: (operations) => {
      let state = 1;
      for (let index = 0; index < operations * loops; index++) state = (Math.imul(state, 1_664_525) + 1) | 0;
      return state;
    },
  });
  const options = { rounds: 5, roundMs: 5, warmUpMs: 20 };
  const once = measure(spinning(1000), options);
  t.ok(once.nanoseconds > 0);
  t.ok(once.fastestNanoseconds <= once.nanoseconds && once.nanoseconds <= once.slowestNanoseconds);
  t.equal(once.maxNanoseconds, 1);
  t.equal(once.bytesPerOperation, null);
});
