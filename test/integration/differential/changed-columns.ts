/**
 * Sessions that have prepared a read before its table got other columns: they are told so, once, whether a server answers, one
 * that has never heard of the statement, or the cache.
 */

import type { Test } from 'tap';
import { APP_ACCOUNT } from '../../support/replication-set.ts';
import { CaseSession, type Endpoint, type StepTranscript, type Transcript } from './case-runner.ts';
import { compareTranscripts } from './compare.ts';
import { type Step, step } from './corpus.ts';
import { CLIENTS } from './run-differential.ts';

const STATEMENTS = {
  all: 'SELECT * FROM f_changed ORDER BY id',
  one: 'SELECT id FROM f_changed ORDER BY id',
};
const EXECUTIONS = 3;

const METADATA_CHANGED = 0x0400;
/** Twice of the column that has come, once that it has gone, and once of the next one. */
const TOLD = 4;

type Run = (session: 'first' | 'second', what: unknown) => Promise<void>;

async function changes(run: Run): Promise<void> {
  const execute = async (session: 'first' | 'second'): Promise<void> => {
    for (let count = 0; count < EXECUTIONS; count++)
      for (const stmt of Object.keys(STATEMENTS)) await run(session, { execute: { stmt } });
  };
  await run('first', 'DROP TABLE IF EXISTS f_changed');
  await run('first', 'CREATE TABLE f_changed (id INT PRIMARY KEY, v VARCHAR(10))');
  await run('first', "INSERT INTO f_changed VALUES (1, 'one')");
  for (const session of ['first', 'second'] as const)
    for (const [as, sql] of Object.entries(STATEMENTS)) await run(session, { open: { as, sql } });
  await execute('first');
  await run('first', 'ALTER TABLE f_changed ADD COLUMN w INT DEFAULT 7');
  await execute('first');
  await execute('second');
  await run('second', 'ALTER TABLE f_changed MODIFY w BIGINT');
  await execute('second');
  await execute('first');
  await run('second', 'ALTER TABLE f_changed DROP COLUMN w');
  await execute('first');
  await run('second', 'ALTER TABLE f_changed ADD COLUMN x INT');
  // To the second one nothing has changed in number.
  await execute('second');
  await execute('first');
  await run('first', 'DROP TABLE f_changed');
  await run('first', { execute: { stmt: 'all' } });
}

async function transcriptOf(endpoint: Endpoint, capabilities: number): Promise<Transcript> {
  const options = {
    user: APP_ACCOUNT.username,
    schema: 'diff',
    collationId: 45,
    capabilities: [],
    withoutCapabilities: [],
  };
  const sessions = {
    first: await CaseSession.open(options, endpoint, capabilities),
    second: await CaseSession.open(options, endpoint, capabilities),
  };
  const steps: StepTranscript[] = [];
  try {
    await changes(async (session, what) => {
      steps.push(await sessions[session].run(step.parse(what) as Step));
    });
  } finally {
    for (const session of Object.values(sessions)) session.close();
  }
  return {
    steps,
    sequenceErrors: Object.values(sessions).flatMap(({ sequenceErrors }) => sequenceErrors),
  };
}

/** How many answers say that the columns are others now. */
function told({ steps }: Transcript): number {
  return steps.filter(({ records }) => (Number(records.at(-1)?.fields.status) & METADATA_CHANGED) !== 0)
    .length;
}

/** @param hits how often the cache has answered up to now. */
export async function compareChangedColumns(
  t: Test,
  direct: Endpoint,
  proxied: Endpoint,
  hits: () => Promise<number>,
): Promise<void> {
  for (const { name, capabilities } of CLIENTS) {
    const expected = await transcriptOf(direct, capabilities);
    t.equal(told(expected), TOLD, `${name}: a server tells each session of each change`);
    const before = await hits();
    const actual = await transcriptOf(proxied, capabilities);
    t.same(compareTranscripts(expected, actual), [], name);
    t.ok((await hits()) > before, `${name}: some came from the cache`);
  }
}
