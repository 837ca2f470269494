/** From what servers say of their GTIDs to positions; both dialects. */

import t from 'tap';
import { gtidPosition } from '../../../../src/common/gtid-position.ts';
import { SharedGtids } from '../../../../src/common/shared-gtids.ts';
import { GtidKeeper } from '../../../../src/control/causal/gtid-keeper.ts';
import type { GtidSample } from '../../../../src/control/causal/gtid-sample.ts';

const A = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa';
const B = 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb';
const FIRST = { address: 'a:1', slot: 0 };
const SECOND = { address: 'b:1', slot: 1 };
const THIRD = { address: 'c:1', slot: 2 };

const mysql = (uuid: string, executed: string): GtidSample => ({
  flavor: 'mysql',
  hasGtids: true,
  prefix: `${uuid}:`,
  executed,
  appliesInParallel: false,
  binlog: null,
});
const mariadb = (serverId: number, executed: string): GtidSample => ({
  flavor: 'mariadb',
  hasGtids: true,
  prefix: `0-${serverId}-`,
  executed,
  appliesInParallel: false,
  binlog: null,
});

class Rig {
  readonly shared = new SharedGtids();
  changes = 0;
  readonly warnings: unknown[] = [];
  readonly keeper = new GtidKeeper(this.shared, () => this.changes++, {
    warn: (_message, fields) => this.warnings.push(fields?.primary ?? fields?.server),
  });

  replica(server: typeof FIRST, sample: GtidSample): number {
    this.keeper.replicaSampled(server, sample, this.shared.incarnation(server.slot));
    return this.shared.applied(server.slot);
  }

  position(sequence: bigint): number {
    return gtidPosition(this.keeper.sources.at(-1)!, sequence);
  }
}

t.test('MySQL: a replica is where it has everything up to', async (t) => {
  const rig = new Rig();
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1-10`)), 0, 'without a primary there are no positions');
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  t.match(rig.keeper.sources, [{ index: 1, prefix: `${A}:`, base: 10n, address: 'a:1' }]);
  t.equal(rig.changes, 1);
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1-9`)), 0, 'it has not what the primary had at the beginning');
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1-10`)), rig.position(10n));
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1-12:14-20`)), rig.position(12n), 'not what is behind a hole');
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-20`), null);
  t.equal(
    rig.replica(SECOND, mysql(B, `${A}:1-20,${B}:1-3`)),
    rig.position(20n),
    'more of others does no harm',
  );
  t.equal(rig.changes, 1);
});

t.test(
  'MySQL: what is applied side by side proves nothing once a write was executed before it was shown',
  async (t) => {
    const rig = new Rig();
    const parallel = { ...mysql(B, `${A}:1-20`), appliesInParallel: true };
    rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-20`), null);
    t.equal(rig.replica(SECOND, parallel), rig.position(20n), 'there was none');
    rig.shared.lateWritten();
    t.equal(rig.shared.applied(SECOND.slot), 0, 'what was known of it does not count either');
    t.equal(rig.replica(SECOND, parallel), 0);
    t.equal(rig.replica(SECOND, parallel), 0);
    t.strictSame(rig.warnings, [SECOND.address], 'once');
    t.equal(
      rig.replica(THIRD, mysql(B, `${A}:1-20`)),
      rig.position(20n),
      'where one applies behind the other it does',
    );
    t.equal(rig.replica(SECOND, mysql(B, `${A}:1-21`)), 0, 'its threads may have outlasted the setting');
    rig.keeper.lost(SECOND);
    t.equal(rig.replica(SECOND, mysql(B, `${A}:1-21`)), rig.position(21n), 'it was restarted');
  },
);

t.test('MySQL: a set that does not begin at 1 proves nothing', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:50-100`), null);
  t.equal(rig.replica(SECOND, mysql(B, `${A}:50-100`)), rig.position(0n));
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1:50-100`), null);
  t.equal(rig.replica(SECOND, mysql(B, `${A}:50-100`)), rig.position(0n));
  t.ok(rig.position(1n) > rig.position(0n));
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1:50-100`)), rig.position(1n));
});

t.test('MariaDB: by domain', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mariadb(1, '0-1-10,5-9-3'), null);
  t.equal(rig.replica(SECOND, mariadb(2, '0-1-11')), 0, 'another domain is missing');
  t.equal(rig.replica(SECOND, mariadb(2, '0-1-11,5-9-3')), rig.position(11n));
  t.equal(rig.replica(THIRD, mariadb(3, '')), 0);
});

t.test('a new primary begins a source, and who lacks what it had is not there', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  rig.replica(SECOND, mysql(B, `${A}:1-15`));
  rig.replica(THIRD, mysql(B, `${A}:1-12`));
  const before = [rig.shared.applied(1), rig.shared.applied(2)];
  rig.keeper.primarySampled(SECOND, mysql(B, `${A}:1-15`), null);
  t.match(rig.keeper.sources, [{ index: 1 }, { index: 2, prefix: `${B}:`, base: 0n }]);
  t.equal(rig.replica(THIRD, mysql(A, `${A}:1-14`)), before[1], 'it stays where it was');
  t.ok(rig.position(0n) > before[0]!, 'which no later write asks for');
  t.equal(rig.replica(THIRD, mysql(A, `${A}:1-15,${B}:1`)), rig.position(1n));
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-16,${B}:1-4`), null);
  t.match(rig.keeper.sources.at(-1), { index: 3, prefix: `${A}:`, base: 16n });
  t.strictSame(
    rig.keeper.sources.map(({ end }) => end),
    [15n, 4n, null],
    'of an earlier one as much as the next primary had',
  );
});

t.test('MariaDB: the same domain, another server', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mariadb(1, '0-1-10'), null);
  rig.keeper.primarySampled(SECOND, mariadb(2, '0-1-10'), null);
  t.match(rig.keeper.sources.at(-1), { index: 2, prefix: '0-2-', base: 10n });
  t.equal(rig.replica(THIRD, mariadb(3, '0-2-11')), rig.position(11n));
});

t.test('who has less than he had is forgotten first', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  rig.replica(SECOND, mysql(B, `${A}:1-20`));
  const asked = rig.shared.incarnation(SECOND.slot);
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1-12`)), rig.position(12n));
  rig.shared.raiseApplied(SECOND.slot, rig.position(19n), asked);
  t.equal(rig.shared.applied(SECOND.slot), rig.position(12n), 'nor counts what a worker has seen before');
  rig.keeper.lost(SECOND);
  t.equal(rig.shared.applied(SECOND.slot), 0);
  rig.keeper.replicaSampled(SECOND, mysql(B, `${A}:1-12`), asked);
  t.equal(rig.shared.applied(SECOND.slot), 0, 'an answer from before the loss');
});

t.test('what workers have seen meanwhile is kept', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  rig.replica(SECOND, mysql(B, `${A}:1-11`));
  rig.shared.raiseApplied(SECOND.slot, rig.position(30n), rig.shared.incarnation(SECOND.slot));
  t.equal(rig.replica(SECOND, mysql(B, `${A}:1-12`)), rig.position(30n));
});

t.test('an answer to what was asked for makes known what was unknown', async (t) => {
  const rig = new Rig();
  rig.shared.setUnknown(9);
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  t.ok(rig.shared.isUnknown(9), 'this one may have been given before the write');
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-12`), rig.shared.beginResolving());
  t.notOk(rig.shared.isUnknown(9));
  t.equal(rig.shared.written(9), rig.position(12n));
});

t.test('writes with GTIDs of others are known by a new baseline', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  rig.replica(SECOND, mysql(B, `${A}:1-10`));
  rig.shared.setUnknown(9);
  rig.shared.foreignWritten();
  const epoch = rig.shared.beginResolving();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10,${B}:77`), epoch);
  t.match(rig.keeper.sources.at(-1), { index: 2 });
  t.ok(rig.shared.written(9) > rig.shared.applied(SECOND.slot));
  t.ok(
    rig.replica(SECOND, mysql(B, `${A}:1-10`)) < rig.shared.written(9),
    'it has as many, and not this one',
  );
  t.ok(rig.replica(SECOND, mysql(B, `${A}:1-10,${B}:77`)) >= rig.shared.written(9));
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10,${B}:77`), rig.shared.beginResolving());
  t.equal(rig.keeper.sources.length, 2, 'once is enough');
});

t.test('a primary that begins its numbers anew, or makes none', async (t) => {
  const rig = new Rig();
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-2`), null);
  t.match(rig.keeper.sources.at(-1), { index: 2, base: 2n });
  rig.shared.setUnknown(1);
  rig.keeper.primarySampled(FIRST, { ...mysql(A, ''), hasGtids: false }, rig.shared.beginResolving());
  t.strictSame(rig.keeper.sources, []);
  t.ok(rig.shared.isUnknown(1), 'nothing is known by it');
  rig.keeper.primarySampled(FIRST, mysql(A, 'nonsense'), rig.shared.beginResolving());
  t.ok(rig.shared.isUnknown(1));
  t.strictSame(rig.warnings, ['a:1'], 'which is said once');
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-3`), rig.shared.beginResolving());
  t.notOk(rig.shared.isUnknown(1));
  t.match(rig.keeper.sources, [{ index: 3 }]);
});

t.test('without GTIDs the places in the binlog of the primary count', async (t) => {
  const rig = new Rig();
  const at = (of: string, place: bigint): GtidSample => ({
    ...mysql(A, `${A}:1-5`),
    hasGtids: false,
    binlog: { of, place },
  });
  const file = (number: bigint, place: bigint): bigint => (number << 32n) + place;
  rig.shared.setUnknown(9);
  rig.keeper.primarySampled(FIRST, at('', file(3n, 1000n)), rig.shared.beginResolving());
  t.match(rig.keeper.sources, [{ prefix: '', base: file(3n, 1000n) }]);
  t.notOk(rig.shared.isUnknown(9));
  t.equal(rig.replica(SECOND, at('a:1', file(3n, 999n))), 0);
  t.equal(rig.replica(SECOND, at('c:1', file(3n, 2000n))), 0, 'that is the binlog of another server');
  t.equal(rig.replica(SECOND, at('a:1', file(4n, 4n))), rig.position(file(4n, 4n)), 'the next file is later');
  t.ok(rig.shared.applied(SECOND.slot) >= rig.shared.written(9));
  t.equal(rig.replica(THIRD, { ...at('a:1', 0n), binlog: null }), 0);
  rig.keeper.primarySampled(FIRST, at('', file(200n, 4n)), null);
  t.equal(rig.keeper.sources.length, 2, 'a new source in time');
  t.ok(rig.shared.applied(SECOND.slot) < rig.position(file(200n, 4n)));
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-6`), null);
  t.match(rig.keeper.sources.at(-1), { prefix: `${A}:` }, 'GTIDs are switched on');
  t.strictSame(rig.warnings, []);
});

t.test('so many sources are kept, and numbered', async (t) => {
  const rig = new Rig();
  for (let n = 0; n < 8191; n++)
    rig.keeper.primarySampled(n % 2 ? FIRST : SECOND, mysql(A, `${A}:1-10`), null);
  t.equal(rig.keeper.sources.length, 16);
  t.match(rig.keeper.sources.at(-1), { index: 8191 });
  rig.keeper.primarySampled(FIRST, mysql(A, `${A}:1-10`), null);
  t.strictSame(rig.keeper.sources, [], 'then nothing is proven any more');
});
