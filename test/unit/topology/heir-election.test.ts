import fc from 'fast-check';
import t from 'tap';
import { gtidSetContains, parseGtidSet, uniteGtidSets } from '../../../src/topology/gtid.ts';
import { electHeir, type HeirCandidate } from '../../../src/topology/heir-election.ts';

const P = '11111111-71ca-11e1-9e33-c80aa9429562';
const UUIDS = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-71ca-11e1-9e33-c80aa9429563`);

function mysql(index: number, executed: string, over: Partial<HeirCandidate> = {}): HeirCandidate {
  return {
    address: `r${index + 1}`,
    flavor: 'mysql',
    versionId: 50729,
    serverUuid: UUIDS[index]!,
    logsUpdates: true,
    executed,
    retrieved: '',
    applyError: null,
    excluded: null,
    ...over,
  };
}

function mariadb(
  index: number,
  executed: string,
  retrieved = '',
  over: Partial<HeirCandidate> = {},
): HeirCandidate {
  return {
    ...mysql(index, executed),
    flavor: 'mariadb',
    versionId: 101100,
    serverUuid: null,
    retrieved,
    ...over,
  };
}

const refusals = (candidates: readonly HeirCandidate[], preferred: readonly string[] = []) =>
  electHeir(candidates, preferred).candidates.map(({ refusal }) => refusal);

t.test('the most transactions, executed or received', (t) => {
  const behind = mysql(0, `${P}:1-10`);
  const received = mysql(1, `${P}:1-5`, { retrieved: `${P}:3-12` });
  const election = electHeir([behind, received], ['r1']);
  t.equal(election.heir, 'r2', 'preference does not make up for transactions');
  t.same(election.candidates, [
    { address: 'r1', refusal: `it lacks ${P}:11-12, which another replica has`, toApply: '' },
    { address: 'r2', refusal: null, toApply: `${P}:6-12` },
  ]);
  t.equal(electHeir([mariadb(0, '0-1-10'), mariadb(1, '0-1-5', '0-1-12')], []).heir, 'r2');
  t.equal(electHeir([mariadb(0, '0-1-10', '0-1-12'), mariadb(1, '0-1-5', '0-1-11')], []).heir, 'r1');
  t.end();
});

t.test('among equals', (t) => {
  const same = [0, 1, 2].map((index) => mysql(index, `${P}:1-10`));
  t.equal(electHeir(same, []).heir, 'r1', 'the order of the configuration');
  t.equal(electHeir(same, ['r3', 'r2']).heir, 'r3', 'the operator’s wish');
  t.equal(
    electHeir([mysql(0, `${P}:1-9`, { retrieved: `${P}:10` }), same[1]!], []).heir,
    'r2',
    'less to apply',
  );
  t.equal(electHeir([mysql(0, `${P}:1-10`, { versionId: 80030 }), same[1]!], []).heir, 'r2', 'older version');
  t.end();
});

t.test('who is no heir', (t) => {
  const good = mysql(1, `${P}:1-10`);
  t.same(refusals([mysql(0, `${P}:1-10`, { excluded: 'it failed as primary 3 s ago' }), good]), [
    'it failed as primary 3 s ago',
    null,
  ]);
  t.same(refusals([mysql(0, `${P}:1-10`, { logsUpdates: false }), good]), [
    'nobody could replicate from it: log_bin or log_slave_updates is off',
    null,
  ]);
  const stuck = { applyError: 'duplicate key', retrieved: `${P}:9-10` };
  t.same(refusals([mysql(0, `${P}:1-8`, stuck), good]), [
    'it cannot execute what it has received: duplicate key',
    null,
  ]);
  t.equal(
    electHeir([mysql(0, `${P}:1-10`, { applyError: 'an old one' })], []).heir,
    'r1',
    'nothing left to execute',
  );
  t.end();
});

t.test('nobody, where the transactions of a replica that cannot execute them would be lost', (t) => {
  const stuck = mysql(0, `${P}:1-8`, { applyError: 'duplicate key', retrieved: `${P}:9-12` });
  const election = electHeir([stuck, mysql(1, `${P}:1-10`)], []);
  t.equal(election.heir, null);
  t.equal(
    election.reason,
    'no replica can take over: r1: it cannot execute what it has received: duplicate key; ' +
      `r2: it lacks ${P}:11-12, which another replica has`,
  );
  t.end();
});

t.test('writes that a replica made of its own', (t) => {
  const strayed = mysql(0, `${P}:1-10,${UUIDS[0]}:1-2`);
  t.same(refusals([strayed, mysql(1, `${P}:1-10`)]), [
    `it has transactions of its own: ${UUIDS[0]}:1-2`,
    null,
  ]);
  // What it wrote as an earlier primary is everybody's.
  const earlier = `${P}:1-10,${UUIDS[0]}:1-20`;
  t.equal(electHeir([mysql(0, earlier), mysql(1, earlier)], []).heir, 'r1');
  t.end();
});

t.test('what cannot be compared', (t) => {
  t.equal(electHeir([], []).reason, 'there is no replica that could take over');
  t.equal(electHeir([mysql(0, ''), mysql(1, '')], []).heir, null);
  t.equal(
    electHeir([mysql(0, `${P}:1`), mariadb(1, '0-1-1')], []).reason,
    'MySQL and MariaDB cannot be compared',
  );
  const garbled = electHeir([mysql(0, `${P}:1`), mysql(1, 'x')], []);
  t.equal(garbled.heir, null, 'what a replica has is not known, so the other may lack it');
  t.end();
});

t.test('whatever they have, an heir has everything that replicas have of the primary', (t) => {
  const part = fc.tuple(fc.nat(20), fc.nat(20)).map(([from, more]) => `${P}:${from + 1}-${from + 1 + more}`);
  const candidates = fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(candidates, (sets) => {
      const replicas = sets.map(([executed, retrieved], index) => mysql(index, executed, { retrieved }));
      const { heir } = electHeir(replicas, []);
      if (heir === null) return;
      const all = replicas.map((one) =>
        uniteGtidSets(parseGtidSet(one.executed, 'mysql'), parseGtidSet(one.retrieved, 'mysql')),
      );
      const its = all[replicas.findIndex(({ address }) => address === heir)]!;
      for (const other of all) if (!gtidSetContains(its, other)) throw new Error('it lacks something');
    }),
  );
  t.end();
});
