/** Whatever rules say: what is no proven read is executed by the primary, once. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { runRouting } from './run-routing.ts';

const set = new ReplicationSet({ flavor: 'mariadb' });
t.before(() => set.start());
t.teardown(() => set.dispose());

const DIGESTS = [
  '.',
  '^SELECT',
  '^(INSERT|UPDATE|DELETE|REPLACE)',
  'FROM',
  '^(SET|USE|CALL|START|BEGIN)',
  'WHERE',
  't',
];

/** Many ways to say "to the replicas", and the last rule says it of everything that is left. */
function randomRules(random: SeededRandom): object[] {
  const rules: object[] = [];
  for (let ruleId = 1; ruleId <= 6; ruleId++) {
    rules.push({
      ruleId,
      [random.pick(['matchDigest', 'matchPattern'])]: random.pick(DIGESTS),
      negateMatchPattern: random.below(5) === 0,
      destinationHostgroup: 1,
      ...(random.below(3) === 0 ? { multiplex: random.pick([1, 2]) } : {}),
      ...(random.below(3) === 0 ? { retries: random.below(10) } : {}),
      ...(random.below(20) === 0 ? { delayMs: 1 + random.below(5) } : {}),
      ...(random.below(4) === 0 ? { flagOut: 5 } : {}),
      apply: random.below(3) === 0,
    });
  }
  rules.push({ ruleId: 98, flagIn: 5, destinationHostgroup: 1 }, { ruleId: 99, destinationHostgroup: 1 });
  return rules;
}

t.test('what is no proven read stays where it belongs', async (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  const rules = randomRules(random);
  t.comment(JSON.stringify(rules));
  await runRouting(t, set, 'mariadb', rules);
});
