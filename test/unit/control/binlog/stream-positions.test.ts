/** How far a stream has come, without a hole, whoever its transactions are of. */

import t from 'tap';
import { type GtidSource, gtidPosition } from '../../../../src/common/gtid-position.ts';
import { SeenMariadbGtids, SeenMysqlGtids } from '../../../../src/control/binlog/seen-gtids.ts';
import { StreamPositions } from '../../../../src/control/binlog/stream-positions.ts';

const ONE = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const OTHER = 'a8e84bf4-e5f9-11f1-abf0-02fc00000001';

function make(prefix: string, seen: SeenMysqlGtids | SeenMariadbGtids) {
  const epochs = { appliedPosition: 0, settledPosition: 0, followedSince: 0 };
  const rig = {
    epochs,
    source: { index: 1, address: 'p:1', prefix, flavor: 'mysql', end: null, base: 10n } as GtidSource | null,
    comes(prefix: string, sequence: bigint): number {
      const gtid = { prefix, sequence };
      const position = positions.of(gtid);
      positions.ended(gtid, position);
      return position;
    },
    at: (sequence: bigint): number => gtidPosition(rig.source!, sequence),
    publish: (settled: number | null): void => positions.publish(settled),
  };
  const positions = new StreamPositions(epochs, () => rig.source);
  positions.begin(seen);
  return rig;
}

t.test('MySQL', async (t) => {
  const seen = new SeenMysqlGtids(`${ONE}:1-11`);
  const { comes, at, epochs, publish } = make(`${ONE}:`, seen);
  publish(null);
  t.equal(epochs.appliedPosition, at(11n));
  t.equal(epochs.followedSince, at(11n));
  t.equal(comes(`${ONE}:`, 12n), at(12n));
  t.equal(epochs.appliedPosition, at(12n));
  t.equal(comes(`${OTHER}:`, 13n), 0, 'of another source');
  t.equal(comes(`${OTHER}:`, 14n), 0);
  t.equal(epochs.appliedPosition, at(12n));
  t.equal(comes(`${ONE}:`, 14n), at(14n));
  t.equal(epochs.appliedPosition, at(12n), 'in front of a hole');
  t.equal(comes(`${ONE}:`, 13n), at(13n));
  publish(at(12n));
  t.equal(epochs.appliedPosition, at(14n), 'the hole is filled');
  t.equal(epochs.settledPosition, at(12n));
  t.equal(comes(`${ONE}:`, 9n), 0, 'from before the beginning of the source');
  t.equal(seen.text, `${ONE}:1-14,${OTHER}:13-14`);
});

t.test('MariaDB', async (t) => {
  const seen = new SeenMariadbGtids('0-1-11,1-7-3');
  const { comes, at, epochs } = make('0-1-', seen);
  t.equal(comes('0-1-', 12n), at(12n));
  t.equal(epochs.appliedPosition, at(12n));
  t.equal(comes('0-2-', 13n), 0, 'of another server of the domain');
  t.equal(comes('1-7-', 4n), 0, 'of another domain');
  t.equal(seen.text, '0-2-13,1-7-4');
  t.equal(comes('0-1-', 15n), at(15n));
  t.equal(epochs.appliedPosition, at(15n));
  t.equal(seen.text, '0-1-15,1-7-4');
});

t.test('another source', async (t) => {
  const rig = make(`${ONE}:`, new SeenMysqlGtids(''));
  t.equal(rig.comes(`${ONE}:`, 12n), rig.at(12n));
  rig.source = null;
  t.equal(rig.comes(`${ONE}:`, 13n), 0, 'not known');
  rig.source = { ...make(`${OTHER}:`, new SeenMysqlGtids('')).source!, index: 2 };
  t.equal(rig.comes(`${ONE}:`, 14n), 0, 'of the one before');
  t.equal(rig.comes(`${OTHER}:`, 11n), rig.at(11n));
});
