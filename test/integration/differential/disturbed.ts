import { setTimeout } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import type { Test } from 'tap';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { type Endpoint, runCase } from './case-runner.ts';
import { compareTranscripts } from './compare.ts';
import { type DifferentialCase, loadCases, type ServerName } from './corpus.ts';
import { DifferentialFixture, LIMITED_ACCOUNT, PASSWORDS } from './fixture.ts';
import { Capability } from './wire-constants.ts';

export interface Disturbance {
  /** What the other session runs, in turn. */
  readonly statements: readonly string[];
  readonly schema: string;
}

/** What somebody else leaves on the only server connection between any two statements of a case. */
const LEFTOVERS = [
  "SELECT CAST('left by another' AS SIGNED), @disturbing := 7",
  'SET @a = 99, @i = 98, @one = 97, time_zone = "+09:00", @disturbing = NULL, @n = 96, @into = 95',
  'SELECT SQL_CALC_FOUND_ROWS id FROM diff.f_int LIMIT 1',
  'SELECT LAST_INSERT_ID(4711)',
  'SELECT no_such_column FROM diff.f_int',
  'DO 1',
] as const;
const ANYTHING: Disturbance = { statements: LEFTOVERS, schema: 'diff2' };
/** The case goes on when the other session gets no connection: it holds the only one for itself. */
const PATIENCE_MS = 25;

/** Runs cases with one server connection, and another session on it between any two of their steps. */
export async function runDisturbed(
  t: Test,
  set: ReplicationSet,
  server: ServerName,
  only: (testCase: DifferentialCase) => boolean,
  by: readonly Disturbance[] = [ANYTHING],
): Promise<void> {
  const fixture = await DifferentialFixture.create(set);
  t.teardown(() => fixture.close());
  const sluice = await startDisturbed(set);
  t.teardown(() => sluice.dispose());
  const direct: Endpoint = { host: set.primary.host, port: set.primary.port, passwords: PASSWORDS };
  const proxied: Endpoint = { host: sluice.host, port: sluice.port, passwords: PASSWORDS };
  const wanted = new RegExp(process.env.SLUICE_TEST_CASE ?? '');
  for (const testCase of loadCases().filter((one) => one.servers.includes(server) && only(one))) {
    if (!wanted.test(`${testCase.file}: ${testCase.name}`)) continue;
    for (const disturbance of by)
      await t.test(`${testCase.file}: ${testCase.name}`, (t) =>
        disturbCase(t, fixture, testCase, direct, proxied, disturbance),
      );
  }
}

function startDisturbed(set: ReplicationSet): Promise<SluiceProcess> {
  return SluiceProcess.startFor(set, {
    config: {
      workers: 1,
      users: [APP_ACCOUNT, LIMITED_ACCOUNT],
      pool: { maxConnections: 1 },
    },
  });
}

async function disturbCase(
  t: Test,
  fixture: DifferentialFixture,
  testCase: DifferentialCase,
  direct: Endpoint,
  proxied: Endpoint,
  { statements, schema }: Disturbance = ANYTHING,
): Promise<void> {
  const capabilities = Capability.deprecateEof | Capability.sessionTrack;
  const expected = await runCase(testCase, direct, capabilities);
  await fixture.reset();
  const other = await createConnection({
    host: proxied.host,
    port: proxied.port,
    user: APP_ACCOUNT.username,
    password: APP_ACCOUNT.password,
    database: schema,
    // As the cases' own sessions: no SET is needed that would clear what is left.
    charset: 'utf8mb4_general_ci',
    flags: ['-FOUND_ROWS', '-ODBC', '-IGNORE_SPACE', '-LOCAL_FILES', 'PS_MULTI_RESULTS'],
  });
  let turn = 0;
  let pending: Promise<unknown> | null = null;
  const disturb = async (): Promise<void> => {
    if (pending === null) {
      const statement = statements[turn++ % statements.length] as string;
      // One of them fails, to leave an error.
      pending = other.query(statement).catch(() => undefined);
      void pending.then(() => {
        pending = null;
      });
    }
    await Promise.race([pending, setTimeout(PATIENCE_MS)]);
  };
  try {
    const actual = await runCase(testCase, proxied, capabilities, 1, disturb);
    t.same(compareTranscripts(expected, actual), [], 'nobody else is to be seen');
  } finally {
    other.destroy();
    await fixture.reset();
  }
}
