/** What control groups allow, from trees of files as the kernel shows them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type Machine, readMachine } from '../../../config/machine.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const V2_MOUNT = '31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
/** As the largest number of pages. */
const V1_UNLIMITED = '9223372036854771712\n';

function machineOf(t: Test, files: Readonly<Record<string, string>>, cpus = 8): Machine {
  const root = makeTemporaryDirectory('machine');
  t.teardown(() => removeTemporaryDirectory(root));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readMachine({ root, availableParallelism: () => cpus, totalmem: () => 16 * GIB });
}

const NO_LIMITS: Machine = {
  cpus: 8,
  cpuQuota: null,
  memoryBytes: 16 * GIB,
  memoryIsLimited: false,
  openFiles: null,
};

t.test('no control groups at all', (t) => {
  t.strictSame(machineOf(t, {}), NO_LIMITS);
  t.end();
});

t.test('version 2, without limits', (t) => {
  const machine = machineOf(t, {
    'proc/self/cgroup': '0::/user.slice/session.scope\n',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/user.slice/session.scope/memory.max': 'max\n',
    'sys/fs/cgroup/user.slice/memory.max': 'max\n',
    'sys/fs/cgroup/user.slice/cpu.max': 'max 100000\n',
  });
  t.strictSame(machine, NO_LIMITS);
  t.end();
});

t.test('version 2, in a container with a namespace of its own', (t) => {
  const machine = machineOf(t, {
    'proc/self/cgroup': '0::/\n',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/memory.max': `${256 * MIB}\n`,
    'sys/fs/cgroup/cpu.max': '50000 100000\n',
    'proc/self/limits':
      'Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files     \n',
  });
  t.strictSame(machine, {
    cpus: 1,
    cpuQuota: 0.5,
    memoryBytes: 256 * MIB,
    memoryIsLimited: true,
    openFiles: 4096,
  });
  t.end();
});

t.test('version 2, nested: the smallest limit on the way up counts', (t) => {
  const files = {
    'proc/self/cgroup': '0::/kubepods/pod7/sluice\n',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/kubepods/pod7/sluice/memory.max': 'max\n',
    'sys/fs/cgroup/kubepods/pod7/memory.max': `${512 * MIB}\n`,
    'sys/fs/cgroup/kubepods/memory.max': `${4 * GIB}\n`,
    'sys/fs/cgroup/kubepods/pod7/sluice/cpu.max': '250000 100000\n',
    'sys/fs/cgroup/kubepods/pod7/cpu.max': 'max 100000\n',
  };
  t.match(machineOf(t, files), { cpus: 3, cpuQuota: 2.5, memoryBytes: 512 * MIB, memoryIsLimited: true });
  t.match(machineOf(t, files, 2), { cpus: 2, cpuQuota: null }, 'a quota over what there is limits nothing');
  t.end();
});

const V1_MOUNTS = [
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
].join('\n');

t.test('version 1, with an empty version 2 beside it', (t) => {
  const files = {
    'proc/self/cgroup': '12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n',
    'proc/self/mountinfo': V1_MOUNTS,
    'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${300 * MIB}\n`,
    'sys/fs/cgroup/memory/memory.limit_in_bytes': V1_UNLIMITED,
    'sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '150000\n',
    'sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  };
  t.match(machineOf(t, files), { cpus: 2, cpuQuota: 1.5, memoryBytes: 300 * MIB, memoryIsLimited: true });
  const unlimited = {
    ...files,
    'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': V1_UNLIMITED,
    'sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '-1\n',
  };
  t.strictSame(machineOf(t, unlimited), NO_LIMITS);
  t.end();
});

t.test('version 1, in a container that sees its own part only, by the path of the machine', (t) => {
  const machine = machineOf(t, {
    'proc/self/cgroup': '12:memory:/docker/abc\n',
    'proc/self/mountinfo':
      '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,relatime master:9 - cgroup cgroup rw,memory',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': `${300 * MIB}\n`,
  });
  t.match(machine, { memoryBytes: 300 * MIB, memoryIsLimited: true });
  t.end();
});

t.test('a limit over the memory of the machine is none', (t) => {
  const machine = machineOf(t, {
    'proc/self/cgroup': '0::/\n',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/memory.max': `${64 * GIB}\n`,
  });
  t.match(machine, { memoryBytes: 16 * GIB, memoryIsLimited: false });
  t.end();
});

t.test('files that hold something else are no limits', (t) => {
  const machine = machineOf(t, {
    'proc/self/cgroup': 'nonsense\n0::/a\n:::\n',
    'proc/self/mountinfo': `nonsense\n${V2_MOUNT}`,
    'sys/fs/cgroup/a/memory.max': '\n',
    'sys/fs/cgroup/a/cpu.max': '0 0\n',
    'proc/self/limits': 'Max open files            unlimited            unlimited            files\n',
  });
  t.strictSame(machine, NO_LIMITS);
  t.end();
});
