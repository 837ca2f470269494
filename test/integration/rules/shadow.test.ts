/** Rules that an operator loads on the admin port: refused as a whole, tried as a shadow, put in force. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.t (id INT PRIMARY KEY)', 'INSERT INTO app.t VALUES (1), (2)'],
});
let sluice: SluiceProcess;
let admin: Connection;
let client: Connection;
t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, {
    config: { queryRules: [{ ruleId: 1, matchPattern: '^SELECT 1$', errorMsg: 'of the file' }] },
  });
  admin = await sluice.adminConnection();
  client = await sluice.connect();
});
t.teardown(async () => {
  await Promise.all([admin?.end(), client?.end()]);
  await sluice?.dispose();
  await set.dispose();
});

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );
}

async function writeRules(...rules: readonly string[]): Promise<void> {
  await admin.query('DELETE FROM mysql_query_rules');
  for (const values of rules) await admin.query(`INSERT INTO mysql_query_rules ${values}`);
}

interface ShadowRow {
  readonly kind: string;
  readonly what: string;
  readonly statements: number;
  readonly current: string | null;
  readonly shadow: string | null;
  readonly digest_text: string | null;
}

async function shadowRows(): Promise<ShadowRow[]> {
  const [rows] = await admin.query<RowDataPacket[]>('SHOW SHADOW');
  return rows as ShadowRow[];
}

async function totals(): Promise<Record<string, number>> {
  const rows = await shadowRows();
  return Object.fromEntries(
    rows.filter(({ kind }) => kind === 'total').map(({ what, statements }) => [what, Number(statements)]),
  );
}

t.test('a bad rule changes nothing, and the error names it', async (t) => {
  await writeRules(
    "(rule_id, active, match_pattern, error_msg) VALUES (5, 1, '^SELECT 2', 'never')",
    "(rule_id, active, match_pattern) VALUES (6, 1, 'a(?!b)')",
  );
  for (const where of ['RUNTIME', 'SHADOW']) {
    const message = await messageOf(admin.query(`LOAD MYSQL QUERY RULES TO ${where}`));
    t.match(message, /mysql_query_rules/, where);
    t.match(message, /6/);
    t.match(message, /match_pattern/);
    t.match(message, /RE2 has no look-around/);
  }
  t.equal(await messageOf(client.query('SELECT 1')), 'of the file');
  t.equal(await messageOf(client.query('SELECT 2')), 'no error');
});

t.test('a shadow is counted, not applied, and can be promoted', async (t) => {
  t.match(await totals(), { statements: 0 }, 'nothing without a shadow');
  await writeRules(
    "(rule_id, active, match_digest, error_msg, apply) VALUES (10, 1, '^DELETE', 'shadow says no', 1)",
    "(rule_id, active, match_pattern, replace_pattern) VALUES (20, 1, 'WHERE id = 1', 'WHERE id = 2')",
  );
  await admin.query('LOAD MYSQL QUERY RULES TO SHADOW');
  const probe = async (): Promise<boolean> => {
    await client.query('SELECT 3');
    return (await totals()).statements! > 0;
  };
  await waitUntil('the shadow is there', probe);
  t.equal(await messageOf(client.query('SELECT 1')), 'of the file', 'the rule in force still counts');
  const [rows] = await client.query<RowDataPacket[]>('SELECT id FROM t WHERE id = 1');
  t.strictSame(rows, [{ id: 1 }], 'nothing is rewritten');
  await client.execute('SELECT id FROM t WHERE id = 1');
  t.equal(await messageOf(client.query('DELETE FROM t WHERE id = 9')), 'no error', 'nothing is blocked');
  t.match(await totals(), { blocked: 1, allowed: 1, rewritten: 2, elsewhere: 0 });
  const shown = (await shadowRows())
    .filter(({ kind }) => kind !== 'total')
    .map((row) => [row.kind, row.what, Number(row.statements), row.current, row.shadow, row.digest_text]);
  t.strictSame(shown.slice(0, 2), [
    ['rule', '10', 1, null, null, null],
    ['rule', '20', 2, null, null, null],
  ]);
  t.strictSame(shown[2], [
    'sample',
    'rewritten',
    2,
    'as it is',
    'by rule 20',
    'SELECT id FROM t WHERE id = ?',
  ]);
  t.strictSame(shown.slice(3).toSorted(), [
    ['sample', 'allowed', 1, 'of the file', '', 'SELECT ?'],
    ['sample', 'blocked', 1, '', 'shadow says no', 'DELETE FROM t WHERE id = ?'],
  ]);
  await admin.query('PROMOTE SHADOW');
  await waitUntil(
    'the promoted rules are in force',
    async () => (await messageOf(client.query('DELETE FROM t WHERE id = 9'))) === 'shadow says no',
  );
  t.equal(await messageOf(client.query('SELECT 1')), 'no error');
  t.strictSame((await client.query<RowDataPacket[]>('SELECT id FROM t WHERE id = 1'))[0], [{ id: 2 }]);
  await waitUntil('there is no shadow any more', async () => (await totals()).statements === 0);
});

t.test('a shadow can be dropped', async (t) => {
  await writeRules("(rule_id, active, match_digest, error_msg) VALUES (10, 1, '.', 'all')");
  await admin.query('LOAD MYSQL QUERY RULES TO SHADOW');
  await waitUntil('the shadow is there', async () => {
    await client.query('SELECT 3');
    return (await totals()).blocked! > 0;
  });
  await admin.query('DROP SHADOW');
  await waitUntil('it is gone', async () => (await totals()).statements === 0);
  t.match(await messageOf(admin.query('PROMOTE SHADOW')), /no shadow rules/);
});
