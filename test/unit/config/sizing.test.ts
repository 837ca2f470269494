/** What fits a machine, and what is refused. */

import t from 'tap';
import { loadConfigWithSources } from '../../../config/load.ts';
import type { Machine } from '../../../config/machine.ts';
import { fittingWorkers, workerHeap } from '../../../config/sizing.ts';

const MIB = 2 ** 20;

function machine(limits: Partial<Machine> & { readonly mib?: number }): Machine {
  const { mib = 65_536, ...rest } = limits;
  const memoryIsLimited = limits.mib !== undefined;
  return { cpus: 2, cpuQuota: null, openFiles: null, memoryBytes: mib * MIB, memoryIsLimited, ...rest };
}

const LEAST = { servers: ['10.0.0.5'], monitor: { username: 'm', password: 'p' } };

function load(on: Machine, more: object = {}) {
  const text = JSON.stringify({ ...LEAST, ...more });
  return loadConfigWithSources({ text, env: {}, flags: {}, machine: on });
}

function problemsOf(on: Machine, more: object = {}): string[] {
  return load(on, more).tooLarge.map(({ key, message }) => `${key}: ${message}`);
}

t.test('without limits the usual values hold', (t) => {
  const { config, tooLarge } = load(machine({}));
  t.strictSame(tooLarge, []);
  t.match(config, {
    workers: 2,
    cache: { maxBytes: 64 * MIB },
    limits: { maxConnections: 10_000, heldBytes: 64 * MIB, maxPreparedBytes: 128 * MIB },
    statistics: { digestBytes: 8 * MIB },
  });
  t.equal(config.limits.maxPacketBytes, 1024 * MIB);
  t.end();
});

t.test('in 256 MiB all is smaller, and there is room for 1,000 clients', (t) => {
  const { config, tooLarge } = load(machine({ mib: 256, cpus: 8 }));
  t.strictSame(tooLarge, []);
  t.equal(config.workers, 1);
  t.ok(config.limits.maxConnections >= 1000, String(config.limits.maxConnections));
  t.equal(config.limits.maxPacketBytes, 16 * MIB);
  t.ok(config.cache.maxBytes < 16 * MIB, String(config.cache.maxBytes));
  t.end();
});

t.test('nothing that fits by itself is too large, whatever the machine', (t) => {
  for (const mib of [208, 256, 300, 384, 512, 768, 1024, 2048, 8192])
    for (const cpus of [1, 2, 3, 8, 64, 128]) {
      const { config, tooLarge } = load(machine({ mib, cpus, openFiles: 4096 }));
      t.strictSame(tooLarge, [], `${mib} MiB, ${cpus} processors`);
      t.ok(config.workers >= 1 && config.workers <= 64);
    }
  t.end();
});

t.test('more memory never means less of anything but workers', (t) => {
  const sizes = [208, 256, 384, 512, 1024, 4096].map((mib) => load(machine({ mib, cpus: 1 })).config);
  for (const [index, { cache, limits }] of sizes.entries()) {
    const before = sizes[index - 1];
    if (before === undefined) continue;
    t.ok(cache.maxBytes >= before.cache.maxBytes);
    t.ok(limits.maxConnections >= before.limits.maxConnections);
    t.ok(limits.maxPreparedBytes >= before.limits.maxPreparedBytes);
  }
  t.end();
});

t.test('what somebody has written stays, and is refused where it does not fit', (t) => {
  const written = { cache: { maxBytes: 512 * MIB } };
  t.equal(load(machine({ mib: 2048 }), written).config.cache.maxBytes, 512 * MIB);
  t.strictSame(problemsOf(machine({ mib: 2048 }), written), []);
  t.match(problemsOf(machine({ mib: 256 }), written), [
    /^cache\.maxBytes: with these settings Sluice needs \d+ MiB of memory, the limit is 256 MiB: cache\.maxBytes takes 640 MiB of it$/,
  ]);
  t.match(problemsOf(machine({ mib: 256 }), { workers: 12 }), [/^workers: .* workers takes 336 MiB of it$/]);
  t.match(problemsOf(machine({ mib: 256 }), { limits: { maxConnections: 50_000 } }), [
    /^limits\.maxConnections: .* limits\.maxConnections takes 1954 MiB/,
  ]);
  t.end();
});

t.test('the number that is asked for suffices', (t) => {
  const written = { cache: { maxBytes: 300 * MIB }, workers: 3 };
  const [problem = ''] = problemsOf(machine({ mib: 256 }), written);
  const needed = Number(/needs (\d+) MiB/.exec(problem)?.[1]);
  t.ok(needed > 256, problem);
  t.strictSame(problemsOf(machine({ mib: needed }), written), []);
  t.equal(problemsOf(machine({ mib: needed - 2 }), written).length, 1);
  const [least = ''] = problemsOf(machine({ mib: 64 }));
  t.match(least, /^: Sluice needs \d+ MiB of memory, the limit is 64 MiB$/);
  const enough = Number(/needs (\d+) MiB/.exec(least)?.[1]);
  t.strictSame(problemsOf(machine({ mib: enough })), []);
  t.equal(problemsOf(machine({ mib: enough - 2 })).length, 1);
  t.end();
});

t.test('a machine with little memory, but no limit, is nobody to refuse anything', (t) => {
  const small = machine({ memoryBytes: 128 * MIB });
  t.strictSame(problemsOf(small), []);
  t.end();
});

t.test('open files', (t) => {
  const { config } = load(machine({ openFiles: 1024 }));
  t.equal(config.limits.maxConnections, 1024 - 128 - 2 * 16 - 3 * 100);
  t.strictSame(problemsOf(machine({ openFiles: 1024 })), []);
  t.match(problemsOf(machine({ openFiles: 1024 }), { limits: { maxConnections: 5000 } }), [
    /^limits\.maxConnections: 5000 clients, and 460 files .* need 5460 open files, the limit is 1024 \(ulimit -Hn, LimitNOFILE=\)$/,
  ]);
  t.match(problemsOf(machine({ openFiles: 256 })), [
    /16 clients, and 460 .* need 476 open files, the limit is 256/,
  ]);
  t.end();
});

t.test('a share of a processor that is too small', (t) => {
  t.match(problemsOf(machine({ cpuQuota: 0.05, cpus: 1 })), [
    ': Sluice needs 0.1 of a processor, the limit is 0.05',
  ]);
  t.strictSame(problemsOf(machine({ cpuQuota: 0.1, cpus: 1 })), []);
  t.end();
});

t.test('heaps of workers', (t) => {
  t.strictSame(workerHeap(machine({}), 2), { oldGenerationMib: null, youngGenerationMib: 12 });
  t.strictSame(workerHeap(machine({ mib: 256 }), 1), { oldGenerationMib: 80, youngGenerationMib: 3 });
  t.equal(fittingWorkers(machine({ cpus: 128 })), 64);
  t.end();
});
