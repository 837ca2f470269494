// sluice-test: nightly timeout=3600
/** Longer runs of every kind. `bench/cache/check.ts` has the longest. */

import t from 'tap';
import { cacheConfig } from '../../cache/cache-modes.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { checkReads } from './check-reads.ts';

const reason = await Mysql57Server.unavailableReason();
const OPERATIONS = 100_000;

for (const flavor of ['mariadb', 'mysql'] as const) {
  void t.test(flavor, { skip: (flavor === 'mysql' && reason) || false }, async (t) => {
    const common = { flavor, replicas: 0, operations: OPERATIONS, seconds: 600 };
    await t.test('one server', (t) => checkReads(t, common));
    await t.test('replicas that are held up', (t) =>
      checkReads(t, { ...common, replicas: 2, holdUpMs: 100 }),
    );
    await t.test('writes around Sluice', (t) => checkReads(t, { ...common, replicas: 1, foreign: 'direct' }));
    await t.test('a second Sluice', (t) => checkReads(t, { ...common, foreign: 'second' }));
    await t.test('switchovers', (t) =>
      checkReads(t, { ...common, replicas: 2, holdUpMs: 100, switchovers: 8 }),
    );
    await t.test('primaries that die', (t) => checkReads(t, { ...common, replicas: 2, failovers: 2 }));
    await t.test('workers that crash, and operators', (t) =>
      checkReads(t, { ...common, workerCrashes: 15, operatorMs: 150 }),
    );
    await t.test('a second level that dies', (t) =>
      checkReads(t, { ...common, foreign: 'second', level2: 'redis', level2Restarts: 8 }),
    );
    await t.test('handovers', (t) => checkReads(t, { ...common, handovers: 5 }));
    await t.test('weak', (t) => checkReads(t, { ...common, ...cacheConfig('weak') }));
  });
}
