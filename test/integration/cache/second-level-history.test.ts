/**
 * RESET MASTER: the same GTIDs are given to other transactions. A result of before is none of the second level's any more, neither for
 * who has followed all the time nor for who comes later; and who follows notices that it has been cut off, and begins anew.
 */

import t, { type Test } from 'tap';
import type { GtidSource } from '../../../src/common/gtid-position.ts';
import { monotonicMs } from '../../../src/common/monotonic-ms.ts';
import { WorkerCounters } from '../../../src/common/shared-counters.ts';
import { Freshness } from '../../../src/data/cache/freshness.ts';
import { SharedPositions } from '../../../src/data/cache/level2/shared-positions.ts';
import { WorkerCausality } from '../../../src/data/causal/worker-causality.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { FollowedEpochs, slotOf } from '../../support/followed-epochs.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

t.setTimeout(400_000);

const SLOTS = Int32Array.of(slotOf('t'));
const MAX_LAG_MS = 20_000;

/** What one Sluice thinks of results of others. */
class Follower {
  readonly followed: FollowedEpochs;
  readonly positions: SharedPositions;

  constructor(source: GtidSource, serverId: number) {
    this.followed = new FollowedEpochs({ serverId });
    const { epochs, gtids } = this.followed;
    this.followed.source = source;
    const freshness = new Freshness(epochs);
    freshness.apply({ term: 0, maxLagMs: MAX_LAG_MS });
    const causality = new WorkerCausality(gtids, new WorkerCounters(new Float64Array(512)), () => {});
    causality.apply([source]);
    this.positions = new SharedPositions(epochs, freshness, causality);
  }

  isEnough(label: string): boolean {
    return this.positions.isEnough(label, SLOTS);
  }

  async label(): Promise<string> {
    await this.followed.confirmed();
    return this.positions.seenBy(SLOTS);
  }
}

async function numbersAgain(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    sql: [
      'CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)',
      'CREATE TABLE app.o (id INT PRIMARY KEY AUTO_INCREMENT, v INT)',
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const { primary } = set;
  const isMysql = flavor === ServerFlavor.mysql;
  const [row] = await primary.query<{ name: string }>(
    isMysql
      ? "SELECT CONCAT(@@server_uuid, ':') AS name"
      : "SELECT CONCAT(@@gtid_domain_id, '-', @@server_id, '-') AS name",
  );
  const terms = {
    address: `${primary.host}:${primary.port}`,
    flavor: isMysql ? 'mysql' : 'mariadb',
  } as const;
  const source: GtidSource = { index: 1, ...terms, prefix: row?.name ?? '', end: null, base: 0n };
  const numberOf = (label: string): number => Number(/(\d+)$/.exec(label)?.[1]);

  const before = new Follower(source, 4_100_000_001);
  t.teardown(() => before.followed.stop());
  await before.followed.follow(primary);
  for (let i = 0; i < 3; i++) await primary.query('INSERT INTO app.t (v) VALUES (1)');
  const label = await before.label();
  t.ok(numberOf(label) > 3);
  t.ok(before.isEnough(label));

  before.followed.events.length = 0;
  await primary.query('RESET MASTER');
  await waitUntil('it is noticed', () => before.followed.events.some(({ to }) => to === 'suspended'));
  t.match(before.followed.events[0]?.reason, /^binlog-(?:reset|purged): /);
  await before.followed.isFollowing();
  const after = new Follower(source, 4_100_000_002);
  t.teardown(() => after.followed.stop());
  await after.followed.follow(primary);
  await primary.query('UPDATE app.t SET v = 2');
  const number = numberOf(await after.label());
  t.ok(number < numberOf(label), 'numbers have begun again');
  for (let i = number; i < numberOf(label) + 3; i++) await primary.query('INSERT INTO app.o (v) VALUES (1)');
  for (const [name, one] of Object.entries({ before, after })) {
    t.ok(numberOf(await one.label()) > numberOf(label), 'and the same one was given again');
    t.notOk(one.isEnough(label), `${name}: what was read before the reset`);
    t.ok(one.isEnough(await one.label()), `${name}: what is read now`);
    const [, gtid] = label.split('/');
    t.ok(one.isEnough(`${one.followed.epochs.history}/${gtid}`), `${name}: nothing else would tell`);
  }
  t.ok(after.isEnough(await before.label()), 'both know it by the same name');

  const raised = await after.followed.raisedBy(['o'], () =>
    primary.query('INSERT INTO app.o (v) VALUES (1)'),
  );
  t.strictSame(raised, { o: { epoch: 2, structure: 0 } }, 'it hears of writes');

  await t.test('nothing is confirmed behind a reset', (t) => nothingBehindReset(t, primary));
}

/**
 * A binlog that has grown past what was sent of the old one tells nothing by its places. So the server is asked for its resets each
 * time; one that leaves the binlog alone shows that, since nothing else would tell.
 */
async function nothingBehindReset(t: Test, primary: DatabaseServer): Promise<void> {
  const followed = new FollowedEpochs({ serverId: 4_100_000_003, pace: { checkMs: 3_600_000 } });
  t.teardown(() => followed.stop());
  await followed.follow(primary);
  await primary.query('RESET QUERY CACHE');
  const resetByMs = monotonicMs();
  const told = await waitUntil('it is noticed', () => followed.events.find(({ to }) => to === 'suspended'));
  t.equal(told.reason, 'binlog-reset: the server has executed RESET');
  t.ok(followed.epochs.confirmedAtMs < resetByMs, 'what the server was asked behind it is not confirmed');
}

t.test('MariaDB', (t) => numbersAgain(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => numbersAgain(t, ServerFlavor.mysql));
