import type { Test } from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { type Endpoint, runCase, type Transcript } from './case-runner.ts';
import { compareTranscripts } from './compare.ts';
import { type DifferentialCase, loadCases, type ServerName } from './corpus.ts';
import { DifferentialFixture, LIMITED_ACCOUNT, PASSWORDS } from './fixture.ts';
import { workersFor } from './run-differential.ts';
import { Capability } from './wire-constants.ts';

const ROUNDS = isNightly ? 40 : 2;
const SESSIONS_AT_ONCE = 16;
const POOL_CONNECTIONS = 6;
const MAX_REPORTED = 20;
/** Numbers of sessions, which keep what they write apart; the straight run is session 1. */
const FIRST_LANE = 2;
/** Of the cases that are made from the matrix of types: they write, but each session to rows of its own. */
const MADE_SHARE = isNightly ? 1 : 0.2;
const CAPABILITIES = [
  Capability.deprecateEof | Capability.sessionTrack,
  0,
  Capability.deprecateEof,
  Capability.sessionTrack,
] as const;

/**
 * What would meet itself when it runs twice at the same time: it makes, locks or ends something. What closes tables makes
 * servers prepare statements again, in the state of their next execution.
 */
const NOT_BESIDE_ITSELF =
  /create|insert|update|delete|drop|alter|lock tables|handler|truncate|rename|grant|load data|\bxa\b|flush|refresh|replace into|analyze|optimize|check|kill|get_lock|changeUser|nosuch|wrong|rights|password/i;

/** MySQL's warning count of COM_INIT_DB (README); flags of columns that tell of the plan, which statistics decide. */
const NOT_THE_SAME_TWICE = /as servers of today refuse|reads of every shape/;

interface Job {
  readonly testCase: DifferentialCase;
  readonly capabilities: number;
}

/** The cases that change nothing but their own session, many at a time on few server connections, in random order. */
export async function runConcurrently(t: Test, set: ReplicationSet, server: ServerName): Promise<void> {
  const fixture = await DifferentialFixture.create(set);
  t.teardown(() => fixture.close());
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      users: [APP_ACCOUNT, LIMITED_ACCOUNT],
      pool: { maxConnections: POOL_CONNECTIONS },
      workers: workersFor(set),
    },
  });
  t.teardown(() => sluice.dispose());
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  const direct: Endpoint = { host: set.primary.host, port: set.primary.port, passwords: PASSWORDS };
  const proxied: Endpoint = { host: sluice.host, port: sluice.port, passwords: PASSWORDS };

  const jobs = chooseJobs(server, random);
  const expected = new Map<Job, Transcript>();
  for (const job of jobs) expected.set(job, await runCase(job.testCase, direct, job.capabilities));
  const queue = Array.from({ length: ROUNDS }, () => jobs).flat();
  const differences: string[] = [];
  const lane = async (_: unknown, number: number): Promise<void> => {
    while (queue.length > 0) {
      const [job] = queue.splice(random.below(queue.length), 1) as [Job];
      const actual = await runCase(job.testCase, proxied, job.capabilities, FIRST_LANE + number);
      const found = compareTranscripts(expected.get(job) as Transcript, actual);
      if (found.length > 0) differences.push(`${job.testCase.file}: ${job.testCase.name}: ${found[0]}`);
    }
  };
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, lane));
  if (differences.length > 0) t.comment(sluice.logTail());
  t.same(
    differences.slice(0, MAX_REPORTED),
    [],
    `${jobs.length * ROUNDS} sessions, each as if it were alone`,
  );
}

/** Written cases with each kind of client; of the many made ones a different part each time, with one kind. */
function chooseJobs(server: ServerName, random: SeededRandom): Job[] {
  const cases = loadCases().filter((one) => one.servers.includes(server));
  const written = cases
    .filter((one) => !one.made && isHarmless(one))
    .flatMap((testCase) => CAPABILITIES.map((capabilities) => ({ testCase, capabilities })));
  const made = cases
    .filter((one) => one.made && random.next() < MADE_SHARE)
    .map((testCase) => ({ testCase, capabilities: random.pick(CAPABILITIES) }));
  return [...written, ...made];
}

function isHarmless(testCase: DifferentialCase): boolean {
  const text = JSON.stringify(testCase.steps) + testCase.user + testCase.name;
  return (
    testCase.pending === undefined &&
    !testCase.costly &&
    !NOT_BESIDE_ITSELF.test(text) &&
    !NOT_THE_SAME_TWICE.test(testCase.name) &&
    !testCase.steps.some((step) => 'lost' in step)
  );
}
