/** Random sequences straight and through Sluice; the first difference is made small and printed. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import type { ServerName } from '../differential/corpus.ts';
import { Capability } from '../differential/wire-constants.ts';
import { generate } from './generator.ts';
import { type LockstepSequence, type LockstepSides, runLockstep } from './lockstep-run.ts';
import { LockstepStage } from './lockstep-stage.ts';
import { printRepro, readRepro } from './repro.ts';
import { shrink } from './shrink.ts';

const STEPS = Number(process.env.SLUICE_TEST_STEPS ?? (isNightly ? 100_000 : 5_000));
const STEPS_OF_A_SEQUENCE = 250;
const SESSIONS = 6;
const CONNECTIONS = 5;
/** One connection less would do for the others; two are handed around among them. */
const HOLDERS = 3;
const MAX_SHRINK_RUNS = Number(process.env.SLUICE_TEST_SHRINK_RUNS ?? (isNightly ? 300 : 60));
/** After so many different differences nobody reads on. */
const MAX_FAILURES = isNightly ? 10 : 2;

const CAPABILITIES = [
  Capability.deprecateEof | Capability.sessionTrack,
  0,
  Capability.deprecateEof,
  Capability.sessionTrack,
] as const;

const REPROS = fileURLToPath(new URL('../../spec/lockstep/', import.meta.url));

export async function runLockstepTests(t: Test, server: ServerName, replicas: number): Promise<void> {
  const stage = await LockstepStage.create({
    server,
    replicas,
    sessions: SESSIONS,
    connections: CONNECTIONS,
  });
  t.teardown(() => stage.dispose());
  const setUp = await stage.writtenOnReplicas();
  await t.test('what was found before', (t) => replayKnown(t, stage.sides, server));
  await t.test('random sequences', (t) => runRandom(t, stage.sides, server));
  t.equal(await stage.writtenOnReplicas(), setUp, 'nothing was written on a replica');
  t.ok(stage.sluiceRuns, 'Sluice still runs');
}

async function replayKnown(t: Test, sides: LockstepSides, server: ServerName): Promise<void> {
  for (const name of readdirSync(REPROS).filter((file) => file.endsWith('.yaml'))) {
    const repro = readRepro(join(REPROS, name));
    if (!repro.servers.includes(server)) continue;
    await t.test(name, { todo: repro.pending ?? false }, async (t) => {
      t.equal(await runLockstep(sides, repro), null, 'no difference');
    });
  }
}

/** By night new ones each time; else always the same, so that a failure is the change's. */
async function runRandom(t: Test, sides: LockstepSides, server: ServerName): Promise<void> {
  const { seed } = isNightly
    ? SeededRandom.fromEnvironment()
    : new SeededRandom(Number(process.env.SLUICE_TEST_SEED ?? 1));
  let failures = 0;
  for (let done = 0, index = 0; done < STEPS && failures < MAX_FAILURES; index++) {
    // The first sequence has the seed itself: what a failure prints repeats it at once.
    const sequenceSeed = (seed + index) >>> 0;
    const sequence = makeSequence(sequenceSeed, server);
    done += sequence.steps.length;
    const difference = await runLockstep(sides, sequence);
    if (difference === null) continue;
    failures++;
    t.comment(`SLUICE_TEST_SEED=${sequenceSeed}: step ${difference.index}: ${difference.what}`);
    const small = await makeSmall(sides, sequence, difference.index);
    t.fail(`a client can tell the difference (SLUICE_TEST_SEED=${sequenceSeed})`, {
      what: small.what,
      repro: printRepro(small.sequence, sequenceSeed),
    });
  }
  t.equal(failures, 0, `${STEPS} steps from SLUICE_TEST_SEED=${seed}`);
}

function makeSequence(seed: number, server: ServerName): LockstepSequence {
  const random = new SeededRandom(seed);
  const capabilities = Array.from({ length: SESSIONS }, () => random.pick(CAPABILITIES));
  const steps = generate(random, {
    server,
    sessions: SESSIONS,
    steps: STEPS_OF_A_SEQUENCE,
    holders: HOLDERS,
  });
  return { capabilities, steps };
}

/** Fewer steps, the last of which still shows a difference. */
async function makeSmall(
  sides: LockstepSides,
  sequence: LockstepSequence,
  failedAt: number,
): Promise<{ sequence: LockstepSequence; what: string }> {
  let what = 'it did not happen again';
  const upToIt = sequence.steps.slice(0, failedAt + 1);
  const fails = async (steps: LockstepSequence['steps']): Promise<boolean> => {
    const difference = await runLockstep(sides, { ...sequence, steps });
    if (difference === null || steps[difference.index] !== upToIt.at(-1)) return false;
    what = difference.what;
    return true;
  };
  const session = upToIt.at(-1)?.session;
  const alone = upToIt.filter((one) => one.session === session);
  const start = (await fails(alone)) ? alone : upToIt;
  if (start === upToIt && !(await fails(upToIt))) return { sequence: { ...sequence, steps: upToIt }, what };
  const steps = await shrink(start, fails, { maxRuns: MAX_SHRINK_RUNS });
  return { sequence: { ...sequence, steps }, what };
}
