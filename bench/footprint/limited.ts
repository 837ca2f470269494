/**
 * The load of `test/integration/footprint/limited-memory.test.ts` at its full size: 1,000 clients, results of 1 GiB as text
 * and prepared, a reader that has stopped, a full cache and 5,000 digests within a limit of memory. As root, since it makes
 * a control group.
 *
 *   npm run tree -- /tmp/tree && node bench/footprint/limited.ts --script /tmp/tree/dist/src/main.js --mib 256
 */

import { parseArgs } from 'node:util';
import { runLimited } from '../../test/integration/footprint/limited-memory.ts';
import { MemoryCgroup } from '../../test/support/memory-cgroup.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    clients: { type: 'string', default: '1000' },
    resultMib: { type: 'string', default: '1024' },
    digests: { type: 'string', default: '5000' },
    cachedResults: { type: 'string', default: '2000' },
    /** Of a packaged tree; the sources unless told. */
    script: { type: 'string', default: '' },
  },
});

const MIB = 2 ** 20;
const group = MemoryCgroup.make('limited', Number(values.mib) * MIB);
if (typeof group === 'string') throw new Error(group);
try {
  const command = { program: process.execPath, args: [values.script] };
  const outcome = await runLimited(group, {
    clients: Number(values.clients),
    resultMib: Number(values.resultMib),
    preparedMib: Number(values.resultMib),
    digests: Number(values.digests),
    cachedResults: Number(values.cachedResults),
    ...(values.script === '' ? {} : { command }),
  });
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  if (outcome.kills > 0 || outcome.sluiceExited || outcome.workerRestarts > 0) process.exitCode = 1;
} finally {
  await group.remove();
}
