import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { StoreUnderTest, temporaryFolder } from './store-under-test.ts';

const SERVER = [0, 'db1', 3306, 0, 'ONLINE', 1, 0, 1000, 0, 0, 0, ''];
const SEED = [{ table: 'mysql_servers', rows: [SERVER] }];
const NOBODY = 65_534;

t.test('what is copied to DISK is there the next time', async (t) => {
  const dataDir = join(temporaryFolder(t), 'new');
  const first = new StoreUnderTest({ dataDir, seed: SEED });
  await first.store.copyTables('memory', 'disk', ['mysql_servers', 'mysql_users']);
  await first.execute("INSERT INTO disk.mysql_servers (hostname) VALUES ('written by hand')");
  await first.store.internal([
    { sql: "INSERT INTO disk.sluice_saved_sections VALUES ('servers', 'f00', 1)" },
    {
      sql: 'INSERT INTO stats_history.history_mysql_status_variables_lookup VALUES (1, ?)',
      parameters: ['Questions'],
    },
  ]);
  await first.store.close();
  t.equal(statSync(join(dataDir, 'sluice.db')).mode & 0o777, 0o600, 'it holds passwords');
  const second = new StoreUnderTest({ dataDir });
  t.teardown(() => second.store.close());
  t.strictSame(await second.rows('SELECT * FROM mysql_servers'), [], 'MEMORY begins anew');
  const [disk] = await second.store.readTables('disk', ['mysql_servers']);
  t.strictSame(
    disk?.rows.map((row) => row[1]),
    ['db1', 'written by hand'],
  );
  t.strictSame(await second.rows('SELECT * FROM disk.sluice_saved_sections'), [['servers', 'f00', 1]]);
  t.strictSame(await second.rows('SELECT * FROM stats_history.history_mysql_status_variables_lookup'), [
    [1, 'Questions'],
  ]);
  await second.store.copyTables('disk', 'memory', ['mysql_servers']);
  t.strictSame(await second.rows('SELECT count(*) FROM mysql_servers'), [[2]]);
  t.strictSame(second.store.notices, []);
});

t.test('a lock of somebody else stops only what needs the file', async (t) => {
  const dataDir = temporaryFolder(t);
  const under = new StoreUnderTest({ dataDir, seed: SEED });
  t.teardown(() => under.store.close());
  await under.rows('SELECT 1');
  const other = new DatabaseSync(join(dataDir, 'sluice.db'));
  other.exec('BEGIN EXCLUSIVE');
  t.strictSame(await under.rows('SELECT * FROM stats_mysql_global'), []);
  await under.store.replaceTables('memory', SEED);
  t.match(
    await under.error("INSERT INTO disk.mysql_servers (hostname) VALUES ('x')"),
    'sql: database is locked',
  );
  await t.rejects(under.store.copyTables('memory', 'disk', ['mysql_servers']), {
    kind: 'sql',
    message: /locked/,
  });
  other.close();
  await under.store.copyTables('memory', 'disk', ['mysql_servers']);
});

t.test('a damaged file is put aside, and said so', async (t) => {
  for (const damage of ['garbage', 'halved', 'page']) {
    const dataDir = temporaryFolder(t);
    const path = join(dataDir, 'sluice.db');
    const before = new StoreUnderTest({ dataDir, seed: SEED });
    await before.store.copyTables('memory', 'disk', ['mysql_servers']);
    await before.store.close();
    const bytes = readFileSync(path);
    const damaged =
      damage === 'garbage'
        ? Buffer.from('this is no database, whatever its name says'.repeat(100))
        : damage === 'halved'
          ? bytes.subarray(0, bytes.length >> 1)
          : Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xa5)]);
    writeFileSync(path, damaged);
    const under = new StoreUnderTest({ dataDir, seed: SEED });
    t.strictSame(await under.rows('SELECT hostname FROM mysql_servers'), [['db1']], damage);
    t.strictSame(await under.rows('SELECT count(*) FROM disk.mysql_servers'), [[0]]);
    t.match(under.store.notices, [/sluice\.db is damaged .* put aside as sluice\.db\.corrupt-\d{8}T\d{6}Z/]);
    t.match(
      under.log.filter(({ level }) => level === 'warn'),
      [{ fields: { notice: /is damaged/ } }],
    );
    await under.store.copyTables('memory', 'disk', ['mysql_servers']);
    await under.store.close();
    const aside = readdirSync(dataDir).find((name) => name.includes('.corrupt-'));
    t.strictSame(readFileSync(join(dataDir, aside!)), damaged, 'as it was found');
  }
});

t.test('objects of operators that name their schema do not make the file a damaged one', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = new StoreUnderTest({ dataDir, seed: SEED });
  t.teardown(() => first.store.close());
  await first.store.copyTables('memory', 'disk', ['mysql_servers']);
  await first.execute('CREATE VIEW disk.names AS SELECT hostname FROM disk.mysql_servers');
  await first.execute('CREATE TABLE disk.notes (a)');
  await first.execute("INSERT INTO disk.notes VALUES ('x')");
  await first.store.close();
  const second = new StoreUnderTest({ dataDir });
  t.teardown(() => second.store.close());
  t.strictSame(await second.rows('SELECT * FROM disk.names'), [['db1']]);
  t.strictSame(await second.rows('SELECT a FROM disk.notes'), [['x']]);
  t.strictSame(second.store.notices, []);
});

t.test('a file that somebody else has locked is not taken for a damaged one', async (t) => {
  const dataDir = temporaryFolder(t);
  const path = join(dataDir, 'sluice.db');
  const first = new StoreUnderTest({ dataDir, seed: SEED });
  await first.store.copyTables('memory', 'disk', ['mysql_servers']);
  await first.store.close();
  const other = new DatabaseSync(path);
  other.exec('BEGIN EXCLUSIVE');
  const second = new StoreUnderTest({ dataDir, seed: SEED });
  t.strictSame(await second.rows('SELECT hostname FROM mysql_servers'), [['db1']], 'MEMORY can be used');
  t.match(second.store.notices, [/sluice\.db cannot be read \(database is locked\): it stays as it is/]);
  await t.rejects(second.store.copyTables('memory', 'disk', ['mysql_servers']), /database is locked/);
  await second.store.close();
  other.exec('ROLLBACK');
  other.close();
  t.strictSame(
    readdirSync(dataDir).filter((name) => name.includes('corrupt')),
    [],
  );
  const third = new StoreUnderTest({ dataDir });
  t.teardown(() => third.store.close());
  t.strictSame(await third.rows('SELECT hostname FROM disk.mysql_servers'), [['db1']]);
});

t.test('tables of an older Sluice get their present columns', async (t) => {
  const dataDir = temporaryFolder(t);
  const path = join(dataDir, 'sluice.db');
  const old = new DatabaseSync(path);
  old.exec('CREATE TABLE mysql_servers (hostgroup_id INT, hostname VARCHAR, port INT, forgotten INT)');
  old.exec("INSERT INTO mysql_servers VALUES (3, 'old', 3310, 1), (3, NULL, 3311, 1)");
  old.exec('CREATE TABLE notes (a)');
  old.close();
  const under = new StoreUnderTest({ dataDir });
  t.strictSame(await under.rows('SELECT hostgroup_id, hostname, port, weight FROM disk.mysql_servers'), [
    [3, 'old', 3310, 1],
  ]);
  t.strictSame(await under.rows('SELECT count(*) FROM disk.notes'), [[0]], "the operator's own tables stay");
  await under.store.close();
  const bytes = readFileSync(path);
  const again = new StoreUnderTest({ dataDir });
  await again.rows('SELECT 1');
  await again.store.close();
  t.ok(readFileSync(path).equals(bytes), 'and are left alone the next time');
});

/** As a user that may read the folder and not write to it: permissions do not count for root. */
async function asReader(dataDir: string, folder: string): Promise<Record<string, unknown>> {
  const script = new URL('./read-only-reader.ts', import.meta.url).pathname;
  const isRoot = process.getuid?.() === 0;
  const child = spawn(process.execPath, [script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { TMPDIR: folder },
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

/** Where the tests run as root in a folder that only root may enter, nobody else can run anything of them. */
function canBeReader(): boolean {
  if (process.getuid?.() !== 0) return true;
  const script = new URL('./read-only-reader.ts', import.meta.url).pathname;
  const probe = ['-e', `require('node:fs').accessSync(${JSON.stringify(script)})`];
  return spawnSync(process.execPath, probe, { uid: NOBODY, gid: NOBODY, env: {} }).status === 0;
}

const skip = canBeReader() ? false : 'only root can read the folder of the tests';
t.test('a file that cannot be written to is read', { skip }, async (t) => {
  // Beside the folder of the tests, which only their user may enter.
  const folder = mkdtempSync('/tmp/sluice-read-only-test-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o777);
  const dataDir = join(folder, 'data');
  const before = new StoreUnderTest({ dataDir, seed: SEED });
  await before.store.copyTables('memory', 'disk', ['mysql_servers']);
  await before.store.close();
  for (const name of readdirSync(dataDir)) chmodSync(join(dataDir, name), 0o444);
  chmodSync(dataDir, 0o555);
  t.teardown(() => chmodSync(dataDir, 0o755));
  const seen = await asReader(dataDir, folder);
  t.match(seen, {
    disk: [['db1']],
    memory: [['db1']],
    save: /^noDisk: DISK cannot be written to: sluice\.db in dataDir, EACCES/,
    insert: /^noDisk: DISK cannot be written to/,
    history: [[0]],
    notices: [/sluice\.db cannot be written to \(EACCES\)/, /sluice-history\.db cannot be written to/],
  });
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  chmodSync(empty, 0o555);
  t.match(await asReader(empty, folder), {
    disk: [],
    save: /^noDisk: DISK cannot be written to/,
    notices: [
      /sluice\.db cannot be made \(EACCES\): nothing can be kept/,
      /sluice-history\.db cannot be made/,
    ],
  });
  t.notOk(existsSync(join(empty, 'sluice.db')));
});
