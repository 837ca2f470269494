import t from 'tap';
import {
  type DeathSigns,
  DeathVerdict,
  judgeDeath,
  OwnSign,
  Quorum,
  ReplicaSign,
} from '../../../src/topology/primary-death.ts';

const LETTERS: Readonly<Record<string, ReplicaSign>> = {
  n: ReplicaSign.noAnswer,
  c: ReplicaSign.claims,
  h: ReplicaSign.hears,
  l: ReplicaSign.lost,
  s: ReplicaSign.stopped,
  e: ReplicaSign.elsewhere,
};

/** One letter for each replica. */
function signs(own: OwnSign, letters: string, peers: readonly boolean[] = []): DeathSigns {
  return {
    own,
    replicas: [...letters].map((letter, index) => ({
      address: `r${index + 1}:3306`,
      sign: LETTERS[letter]!,
    })),
    peers: peers.map((hears, index) => ({ name: `sluice${index + 1}`, hears })),
  };
}

t.test('the decision table, row by row', (t) => {
  const rows: readonly [OwnSign, string, readonly boolean[], Quorum, DeathVerdict][] = [
    // Its own word is the last one.
    ['answers', 'll', [], 'majority', 'alive'],
    ['answers', '', [false], 'majority', 'alive'],
    // Somebody else hears it.
    ['refused', 'll', [false, true], 'majority', 'heard'],
    ['silent', 'lh', [], 'majority', 'heard'],
    ['silent', 'hnn', [], 'majority', 'heard'],
    ['silent', 'hc', [], 'majority', 'heard'],
    // Nobody to ask.
    ['refused', '', [], 'majority', 'no-replicas'],
    ['refused', 'ee', [false], 'majority', 'no-replicas'],
    ['refused', 'n', [], 'majority', 'no-quorum'],
    ['refused', 'nn', [], 'any', 'no-quorum'],
    ['refused', 'ln', [], 'majority', 'no-quorum'],
    ['refused', 'lnc', [], 'majority', 'ask-replicas'],
    ['refused', 'lnnl', [], 'majority', 'no-quorum'],
    ['refused', 'lnnle', [], 'majority', 'no-quorum'],
    ['refused', 'ln', [], 'any', 'dead'],
    // They may hear it.
    ['refused', 'cl', [], 'majority', 'ask-replicas'],
    ['silent', 'cs', [], 'majority', 'ask-replicas'],
    // They do not try.
    ['refused', 's', [], 'majority', 'no-witness'],
    ['silent', 'ss', [], 'majority', 'no-witness'],
    // They tried and failed.
    ['refused', 'l', [], 'majority', 'dead'],
    ['silent', 'll', [false], 'majority', 'dead'],
    ['failed', 'ls', [], 'majority', 'dead'],
    ['refused', 'lln', [], 'majority', 'dead'],
    ['refused', 'le', [], 'majority', 'dead'],
  ];
  for (const [own, letters, peers, quorum, verdict] of rows) {
    const decision = judgeDeath(signs(own, letters, peers), quorum);
    t.equal(decision.verdict, verdict, `${own} ${letters} ${peers.join()} ${quorum}: ${decision.reason}`);
  }
  t.end();
});

t.test('over all combinations of three replicas, a primary that anybody may hear is never dead', (t) => {
  const letters = Object.keys(LETTERS);
  let dead = 0;
  for (const own of Object.values(OwnSign))
    for (const a of letters)
      for (const b of letters)
        for (const c of letters)
          for (const hears of [false, true])
            for (const quorum of Object.values(Quorum)) {
              const all = a + b + c;
              const { verdict } = judgeDeath(signs(own, all, [hears]), quorum);
              if (verdict !== DeathVerdict.dead) continue;
              dead++;
              const ours = all.replaceAll('e', '');
              const answering = ours.replaceAll('n', '').length;
              const isProven =
                own !== OwnSign.answers &&
                !hears &&
                !/[hc]/.test(all) &&
                all.includes('l') &&
                (quorum === Quorum.any || answering * 2 > ours.length);
              if (!isProven) t.fail(`dead by ${own} ${all} ${hears} ${quorum}`);
            }
  // For each of 3 own failures: with `any` each string over n, l, s, e with an l (64 - 27); with `majority` not those
  // of l, n, n (3) and of l, n, e (6).
  t.equal(dead, 3 * (37 + 28));
  t.end();
});

t.test('the reason names who said what', (t) => {
  const reason = (own: OwnSign, letters: string) => judgeDeath(signs(own, letters), Quorum.majority).reason;
  t.equal(reason('silent', 'hl'), 'it does not answer in time, but r1:3306 still replicates from it');
  t.equal(
    reason('refused', 'ln'),
    'its connections are refused, and only 1 of its 2 known replicas answer, without r2:3306',
  );
  t.equal(
    reason('refused', 'll'),
    'its connections are refused, and r1:3306, r2:3306 cannot reach it either',
  );
  t.equal(reason('failed', 'ss'), 'connections to it fail, and replication is stopped on r1:3306, r2:3306');
  t.end();
});
