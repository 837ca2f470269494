/** Long random histories: a right one is accepted whole, and of a wrong one every wrong read is found, and no other. */

import t from 'tap';
import { checkRead } from '../../cache/model/check-read.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { SimulatedWriter } from './simulated-store.ts';

const WRITERS = 6;
const OPERATIONS = 60_000;

interface Outcome {
  readonly reads: number;
  readonly planted: number;
  readonly found: number;
  readonly falselyFound: number;
}

/** @param wrongEvery one read in so many, on average, is answered with what was right before; 0 for none */
function run(random: SeededRandom, wrongEvery: number): Outcome {
  const writers = Array.from({ length: WRITERS }, (_, n) => new SimulatedWriter(`w${n}`, random.fork(n)));
  const outcome = { reads: 0, planted: 0, found: 0, falselyFound: 0 };
  let now = 0;
  for (let n = 0; n < OPERATIONS; n++) {
    now += random.next() * 0.2;
    for (const writer of writers) writer.step(now);
    const isWrong = wrongEvery > 0 && random.below(wrongEvery) === 0;
    const endedAt = now;
    const startedAt = now - random.next();
    const seen = writers.filter(() => random.below(2) === 0);
    if (seen.length === 0) continue;
    const moment = isWrong
      ? startedAt - 1 - random.next() * 5
      : startedAt + random.next() * (endedAt - startedAt);
    const observations = seen.flatMap((writer) => writer.observe(writer.stateAt(moment)));
    // Answers are noted up to a step late.
    const isStale = seen.some((writer) => writer.isStale(writer.stateAt(moment), startedAt - 0.2));
    if (isWrong && !isStale) continue;
    outcome.reads++;
    const { violation } = checkRead({ startedAt, endedAt, observations, boundMs: () => 0 });
    if (isWrong) outcome.planted++;
    if (isWrong && violation !== null) outcome.found++;
    if (!isWrong && violation !== null) outcome.falselyFound++;
  }
  return outcome;
}

const random = SeededRandom.fromEnvironment();
t.comment(`seed ${random.seed}`);

t.test('a right history', async (t) => {
  const began = process.cpuUsage();
  const { reads, falselyFound } = run(random.fork(1), 0);
  t.equal(falselyFound, 0);
  t.ok(reads > OPERATIONS / 2);
  // Of the processor: others may be busy, too.
  const { user, system } = process.cpuUsage(began);
  const perMillionMs = ((user + system) / 1000 / OPERATIONS) * 1e6;
  t.ok(perMillionMs < 120_000, `a million operations in ${Math.round(perMillionMs / 1000)} s`);
});

t.test('stale reads', async (t) => {
  const { planted, found, falselyFound } = run(random.fork(2), 50);
  t.ok(planted > OPERATIONS / 200, `${planted} planted`);
  t.equal(found, planted);
  t.equal(falselyFound, 0, 'one that is wrong does not make others wrong');
});
