// sluice-test: nightly timeout=3600
/** The checker finds what is wrong with a Sluice that was given a fault: each on the server that its options name, or on MariaDB. */

import t from 'tap';
import { plantedFaults } from '../../cache/planted-faults.ts';
import { runChecker } from '../../cache/run-checker.ts';
import { optionsOf } from './check-reads.ts';

const OPERATIONS = 25_000;

for (const { name, description, options } of plantedFaults) {
  t.test(`${name}: ${description}`, async (t) => {
    const all = optionsOf(t, { flavor: 'mariadb', operations: OPERATIONS, ...options, planted: name });
    const { counts, violationsByKind } = await runChecker(all);
    t.comment(JSON.stringify(violationsByKind));
    t.ok(counts.violations > 0, 'found');
  });
}
