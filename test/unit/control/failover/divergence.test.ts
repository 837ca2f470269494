import t from 'tap';
import { divergenceOf } from '../../../../src/control/failover/rejoin/divergence.ts';
import { madeServerState as state } from './made-server-state.ts';

const A = 'aaaaaaaa-0000-0000-0000-000000000000';
const B = 'bbbbbbbb-0000-0000-0000-000000000000';

t.test('MySQL: sets are subtracted', async (t) => {
  const cases: readonly [string, string, string, string, string][] = [
    [`${A}:1-9`, `${A}:1-9,${B}:1-3`, '', '', ''],
    [`${A}:1-10`, `${A}:1-9,${B}:1-3`, '', `${A}:10`, ''],
    [`${A}:1-5`, `${A}:1-9`, `${A}:1-7`, '', `${A}:6-7`],
    ['', '', '', '', ''],
  ];
  for (const [own, theirs, purged, extra, gone] of cases) {
    const found = divergenceOf(
      state('5.7.29', 1, { executed: own }),
      state('5.7.29', 2, { executed: theirs, purged }),
    );
    t.strictSame(found, { extra, purged: gone }, `${own} against ${theirs}`);
  }
});

t.test(
  'MariaDB: the last of each server, since both branches of a split count on from the same number',
  async (t) => {
    const cases: readonly [string, string, string, string, string][] = [
      // Own position, own state, the primary's position and state, what is only here.
      ['0-1-5', '0-1-5', '0-2-9', '0-1-5,0-2-9', ''],
      ['0-1-6', '0-1-6', '0-2-9', '0-1-5,0-2-9', '0-1-6'],
      ['0-2-9', '0-1-6,0-2-9', '0-2-9', '0-1-5,0-2-9', '0-1-6'],
      ['0-2-8', '0-3-2,0-1-5,0-2-8', '0-2-9', '0-1-5,0-2-9', ''],
      ['0-2-8,5-1-3', '0-2-8,5-1-3', '0-2-9', '0-2-9', '5-1-3'],
      ['', '', '0-2-9', '0-2-9', ''],
    ];
    for (const [own, ownState, theirs, theirState, extra] of cases) {
      const found = divergenceOf(
        state('10.11.6-MariaDB', 1, { executed: own, binlogState: ownState }),
        state('10.11.6-MariaDB', 2, { executed: theirs, binlogState: theirState }),
      );
      t.strictSame(found, { extra, purged: '' }, `${ownState} against ${theirState}`);
    }
  },
);
