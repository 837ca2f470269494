import t from 'tap';
import {
  failoverObstacles,
  type ObstacleFacts,
} from '../../../../src/control/failover/failover-obstacles.ts';
import { at, channel, failed, good, TopologyUnderTest } from '../../topology/topology-builder.ts';

/** `a` is primary, `b` its replica. */
function pair(): TopologyUnderTest {
  const replica = { readOnly: true, sources: [channel('a')] };
  return new TopologyUnderTest('a', 'b').apply(good('a'), good('b', replica));
}

function obstacles(subject: TopologyUnderTest, changed: Partial<ObstacleFacts> = {}) {
  const facts = { isAutomatic: true, agreement: 'alone', lacksPrivileges: false, ...changed } as const;
  return failoverObstacles({ ...facts, topology: subject.value });
}

t.test('none, where a replica is well', async (t) => {
  t.strictSame(obstacles(pair()), []);
  t.strictSame(obstacles(pair(), { agreement: 'follower' }), [], 'another Sluice would do it');
});

t.test('each by itself, and all together', async (t) => {
  t.strictSame(obstacles(pair(), { isAutomatic: false }), ['not-automatic']);
  t.strictSame(obstacles(pair(), { agreement: 'lost' }), ['agreement-lost']);
  t.strictSame(obstacles(pair(), { lacksPrivileges: true }), ['privilege-missing']);
  const lone = new TopologyUnderTest('a').apply(good('a'));
  t.strictSame(obstacles(lone, { isAutomatic: false, agreement: 'lost', lacksPrivileges: true }), [
    'not-automatic',
    'no-candidate',
    'agreement-lost',
    'privilege-missing',
  ]);
  t.strictSame(obstacles(new TopologyUnderTest('a', 'b')), ['no-candidate'], 'nothing is known yet');
});

t.test('a replica that does not answer, or whose replication is broken, is no candidate', async (t) => {
  const down = pair();
  for (let round = 0; round < 10; round++) down.apply(failed('b'));
  t.strictSame(obstacles(down), ['no-candidate']);
  const broken = { readOnly: true, sources: [channel('a', { sqlRunning: 'No', error: 'a row is missing' })] };
  t.strictSame(obstacles(pair().apply(good('b', broken))), ['no-candidate']);
});

t.test('behind a primary that is gone nobody replicates, which says nothing against a replica', async (t) => {
  const orphan = { readOnly: true, sources: [channel('a', { ioRunning: 'No', error: 'no answer' })] };
  const subject = pair();
  for (let round = 0; round < 10; round++) subject.apply(failed('a'));
  subject.apply(good('b', orphan));
  t.equal(subject.status('a'), 'SHUNNED');
  t.equal(subject.value.find(at('b'))?.replicationRunning, false);
  t.strictSame(obstacles(subject), []);
});
