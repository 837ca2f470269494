/** 256 MiB for all of Sluice's memory, set by a control group: it serves what it has to, and is not killed. */

import t from 'tap';
import { MemoryCgroup } from '../../support/memory-cgroup.ts';
import { runLimited } from './limited-memory.ts';

const MIB = 2 ** 20;

const group = MemoryCgroup.make('limited', 256 * MIB);

t.test('in 256 MiB', { skip: typeof group === 'string' ? group : false }, async (t) => {
  if (typeof group === 'string') return;
  t.teardown(() => group.remove());
  const outcome = await runLimited(group, {
    clients: 100,
    resultMib: 264,
    preparedMib: 32,
    digests: 300,
    cachedResults: 400,
  });
  t.match(outcome, { kills: 0, workerRestarts: 0, clientsServed: 100, sluiceExited: false });
  // It is larger than all the memory that there is; `bench/footprint/limited.ts` has the prepared one as large.
  t.ok(outcome.textBytes >= 264 * MIB);
  t.ok(outcome.preparedBytes >= 32 * MIB);
  t.ok(outcome.cachedBytes > 4 * MIB, `${outcome.cachedBytes} bytes are cached`);
  // From the sources; what is packaged takes 40 MiB less.
  t.ok(outcome.idleResidentBytes < 200 * MIB, `${outcome.idleResidentBytes} bytes resident when idle`);
  t.ok(outcome.residentBytes < 256 * MIB, `${outcome.residentBytes} bytes resident`);
});
