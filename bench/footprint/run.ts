/**
 * What an idle Sluice takes, as it is packaged: resident memory of all its processes, and the time from its start to
 * its `ready`. In front of one primary, with one worker unless told; settled, since its threads give back what their start
 * has left when they have been idle for half a minute. glibc is told what image and unit tell it.
 *
 *   npm run build && node bench/footprint/run.ts --rounds 5
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { OwnedChild } from '../../test/support/child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../test/support/owned-resources.ts';
import { APP_ACCOUNT, MONITOR_ACCOUNT, ReplicationSet } from '../../test/support/replication-set.ts';
import { freeSluicePorts } from '../../test/support/sluice-process.ts';
import { checkoutDirectory } from '../../test/support/sluice-script.ts';
import { memoryOfTree } from './process-tree.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    workers: { type: 'string', default: '1' },
    /** The script, and what stands in front of it, separated by spaces. */
    script: { type: 'string', default: join(checkoutDirectory, 'dist/src/main.js') },
    nodeArgs: { type: 'string', default: '' },
    idleMs: { type: 'string', default: '60000' },
  },
});

const MIB = 2 ** 20;

async function round(directory: string, address: string): Promise<string> {
  const ports = await freeSluicePorts();
  const configFile = join(directory, 'sluice.yaml');
  const config = {
    listen: { host: '127.0.0.1', port: ports.clients },
    admin: { port: ports.admin },
    http: { port: ports.http },
    workers: Number(values.workers),
    servers: [address],
    users: [APP_ACCOUNT],
    monitor: MONITOR_ACCOUNT,
    log: { pretty: false },
  };
  writeFileSync(configFile, JSON.stringify(config));
  const startedAtMs = performance.now();
  const child = await OwnedChild.spawn({
    command: process.execPath,
    args: [...values.nodeArgs.split(' ').filter(Boolean), values.script, '--config', configFile],
    cwd: directory,
    // As in the image: what else is set here, such as NODE_EXTRA_CA_CERTS, takes memory of its own.
    env: { PATH: process.env.PATH, MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' },
  });
  try {
    for await (const line of createInterface({ input: child.process.stdout! })) {
      if (!line.includes('"msg":"ready"')) continue;
      break;
    }
    const readyMs = performance.now() - startedAtMs;
    const { cpuMs } = await memoryOfTree(child.pid);
    await sleep(Number(values.idleMs));
    const use = await memoryOfTree(child.pid);
    const parts = use.processes.map(
      ({ pid, residentBytes }) => `${pid}: ${(residentBytes / MIB).toFixed(1)}`,
    );
    const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
    return `ready ${readyMs.toFixed(0)} ms, CPU until then ${cpuMs} ms; ${mib(use.residentBytes)} resident (${parts.join(', ')}), ${mib(use.proportionalBytes)} proportional, ${mib(use.uniqueBytes)} its own, ${mib(use.anonymousBytes)} anonymous`;
  } finally {
    await child.end('SIGTERM', 20_000);
  }
}

const directory = makeTemporaryDirectory('footprint');
const set = await new ReplicationSet({ replicas: 0 }).start();
try {
  for (let count = 0; count < Number(values.rounds); count++)
    process.stdout.write(`${await round(directory, set.primary.address)}\n`);
} finally {
  await set.dispose();
  removeTemporaryDirectory(directory);
}
