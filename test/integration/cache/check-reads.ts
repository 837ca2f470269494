/** A run of the checker as a test: what it finds is shown, and a run that could not have found anything fails. */

import type { Test } from 'tap';
import { cacheConfig } from '../../cache/cache-modes.ts';
import { type CheckerOptions, DEFAULT_OPTIONS } from '../../cache/checker-options.ts';
import { violationText } from '../../cache/checker-report.ts';
import { runChecker } from '../../cache/run-checker.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

/** A deadlock, a lock wait that was too long, an interrupted statement, a table that has changed meanwhile. */
const EXPECTED_ERRORS = new Set([1205, 1213, 1317, 1412]);
/** Of a server that died: in the middle of a statement, or of a transaction. */
const LOST = [9009, 9042];
/** Of a process that has handed over. */
const SHUTDOWN = 1053;

export type TestOptions = Pick<CheckerOptions, 'flavor' | 'operations'> & Partial<CheckerOptions>;

export function optionsOf(t: Test, given: TestOptions): CheckerOptions {
  const { seed } = SeededRandom.fromEnvironment();
  t.comment(`seed ${seed}`);
  return { ...DEFAULT_OPTIONS, seed, ...cacheConfig('strong'), ...given };
}

export async function checkReads(t: Test, given: TestOptions): Promise<void> {
  const options = optionsOf(t, given);
  const { violations, counts, errors, operations, hits, staleness, happened } = await runChecker(options);
  t.comment(JSON.stringify({ operations, hits, happened, ...counts, staleness, errors }));
  t.same(violations.slice(0, 2).map(violationText), [], 'every read is one of a right run');
  t.ok(operations >= options.operations, 'in time');
  t.ok(hits >= 100, `${hits} hits`);
  t.ok(counts.reads > options.operations / 3, 'reads');
  t.ok(counts.commits > options.operations / 100, 'commits');
  t.ok(counts.rollbacks > 0, 'rollbacks');
  for (const [name, count] of Object.entries(happened))
    t.equal(count, options[name as keyof CheckerOptions], name);
  // Which connections are lost in the middle of a write is luck: a long run always has some.
  if (options.operations >= 100_000) t.ok(counts.unknown > 0, 'lost connections');
  const expected = new Set(EXPECTED_ERRORS);
  if (options.failovers > 0) for (const errno of LOST) expected.add(errno);
  if (options.handovers > 0) expected.add(SHUTDOWN);
  const unexpected = errors.filter(({ errno }) => !expected.has(errno));
  t.same(unexpected, [], 'no other errors');
}
