/** The harness itself: it finds nothing where there is nothing, and finds what there is. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { type Endpoint, runCase, type Transcript } from './case-runner.ts';
import { compareTranscripts } from './compare.ts';
import { countStatements, type DifferentialCase, loadCases } from './corpus.ts';
import { DifferentialFixture, PASSWORDS, SERVER_ARGS } from './fixture.ts';
import { runDifferential } from './run-differential.ts';

const set = new ReplicationSet({ replicas: 0, args: SERVER_ARGS });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('the corpus has over 800 cases and 5000 statements for each flavour', async (t) => {
  for (const server of ['mariadb', 'mysql57'] as const) {
    const cases = loadCases().filter((one) => one.servers.includes(server));
    const count = cases.reduce((sum, one) => sum + countStatements(one), 0);
    t.ok(cases.length > 800, `${cases.length} cases for ${server}`);
    t.ok(count > 5000, `${count} statements for ${server}`);
  }
  const names = loadCases().map((one) => `${one.file}: ${one.name}`);
  t.equal(new Set(names).size, names.length, 'no two cases have the same name');
});

t.test('two sessions at the same server do not differ', async (t) => {
  const { host, port } = set.primary;
  const files = new Set(['column types', 'errors and warnings', 'commands other than COM_QUERY']);
  const fixture = await DifferentialFixture.create(set);
  t.teardown(() => fixture.close());
  await runDifferential(t, {
    set,
    fixture,
    server: 'mariadb',
    proxied: { host, port },
    only: (one) => files.has(one.file),
  });
});

t.test('a difference is found', async (t) => {
  const endpoint: Endpoint = { host: set.primary.host, port: set.primary.port, passwords: PASSWORDS };
  const run = (sql: string): Promise<Transcript> => runCase(caseOf(sql), endpoint, 0);
  const reference = await run('SELECT 1 AS a');
  for (const [what, sql] of [
    ['another value', 'SELECT 2 AS a'],
    ['another column name', 'SELECT 1 AS b'],
    ['another type', "SELECT '1' AS a"],
    ['another flag', 'SELECT CAST(1 AS UNSIGNED) AS a'],
    ['one more row', 'SELECT 1 AS a UNION ALL SELECT 1'],
    ['a warning', "SELECT 1 AS a, CAST('1x' AS SIGNED)"],
    ['an error', 'SELECT nope AS a'],
    ['another transaction state', 'BEGIN'],
  ] as const) {
    t.not(compareTranscripts(reference, await run(sql)).length, 0, what);
  }
  const broken: Transcript = { ...reference, sequenceErrors: ['sequence id 5 where 1 was due'] };
  t.same(compareTranscripts(reference, broken), ['proxied: sequence id 5 where 1 was due']);
});

function caseOf(query: string): DifferentialCase {
  return {
    file: '',
    name: '',
    servers: ['mariadb'],
    user: 'app',
    schema: 'diff',
    collationId: 45,
    costly: false,
    made: false,
    capabilities: [],
    withoutCapabilities: [],
    steps: [{ query, ignore: [], localData: undefined, localRows: undefined }],
  };
}
