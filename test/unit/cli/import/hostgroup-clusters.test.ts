import t from 'tap';
import { type ClusterFacts, chooseCluster } from '../../../../src/cli/import/hostgroup-clusters.ts';

interface Given extends Partial<Omit<ClusterFacts, 'servers' | 'writtenTo'>> {
  readonly servers?: Readonly<Record<string, readonly number[]>>;
  readonly written?: readonly number[];
}

function choose({ servers = {}, written = [], ...given }: Given) {
  const { pairs, writer, hostgroups, others } = chooseCluster({
    pairs: [],
    defaults: [],
    same: [],
    chosen: null,
    ...given,
    servers: new Map(Object.entries(servers)),
    writtenTo: new Set(written),
  });
  return { pairs: pairs.map((pair) => pair.writer), writer, hostgroups: [...hostgroups], others };
}

const PAIRS = [
  { writer: 10, reader: 11 },
  { writer: 20, reader: 21 },
];

t.test('one cluster', async (t) => {
  t.strictSame(choose({ servers: { a: [0] } }), { pairs: [], writer: 0, hostgroups: [0], others: [] });
  t.strictSame(choose({ servers: { a: [10], b: [11] }, pairs: PAIRS.slice(0, 1), defaults: [10] }), {
    pairs: [10],
    writer: 10,
    hostgroups: [10, 11],
    others: [],
  });
  t.strictSame(choose({}), { pairs: [], writer: 0, hostgroups: [], others: [] }, 'nothing');
  t.match(choose({ pairs: PAIRS }), { pairs: [10], writer: 10 }, 'pairs without servers');
});

t.test('an account for readers is of the cluster of their pair', async (t) => {
  const servers = { a: [10], b: [11] };
  t.match(choose({ servers, pairs: PAIRS, defaults: [11] }), { pairs: [10], writer: 10 });
});

t.test('servers for reads only belong to it', async (t) => {
  const servers = { a: [10], b: [11], reports: [30] };
  t.strictSame(choose({ servers, pairs: PAIRS.slice(0, 1), defaults: [10] }).hostgroups, [10, 11, 30]);
});

t.test('what is written to is another cluster', async (t) => {
  const servers = { a: [1], b: [2], c: [3] };
  t.strictSame(choose({ servers, defaults: [1, 1, 2], written: [3] }), {
    pairs: [],
    writer: 1,
    hostgroups: [1],
    others: [2, 3],
  });
  t.strictSame(
    choose({ servers, defaults: [1, 1, 2], written: [3], same: [1, 2] }),
    { pairs: [], writer: 1, hostgroups: [1, 2], others: [3] },
    'unless the operator knows better',
  );
  t.strictSame(
    choose({ servers: { ...servers, both: [1, 3] }, defaults: [1, 2], written: [3] }).hostgroups,
    [1, 3],
    'or a server is in both',
  );
});

t.test('two pairs with servers of their own', async (t) => {
  const servers = { a: [10], b: [11], c: [20], d: [21] };
  const facts = { servers, pairs: PAIRS, defaults: [20, 20, 10] };
  t.strictSame(choose(facts), { pairs: [20], writer: 20, hostgroups: [20, 21], others: [10, 11] });
  t.match(choose({ ...facts, chosen: 10 }), { pairs: [10], writer: 10, others: [20, 21] });
  t.match(choose({ ...facts, chosen: 11 }), { pairs: [10], writer: 10 }, 'the reader will do');
});

t.test('two pairs over the same servers are one cluster', async (t) => {
  const servers = { a: [10, 20], b: [11, 21] };
  t.strictSame(choose({ servers, pairs: PAIRS, defaults: [20] }), {
    pairs: [20, 10],
    writer: 20,
    hostgroups: [10, 11, 20, 21],
    others: [],
  });
});

t.test('accounts of empty hostgroups do not decide', async (t) => {
  t.match(choose({ servers: { a: [0] }, pairs: PAIRS, defaults: [10, 10, 0] }), { pairs: [], writer: 0 });
});
