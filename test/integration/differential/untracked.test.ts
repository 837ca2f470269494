/** Servers that do not report session state: a session that may have changed it keeps its connection. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { UntrackingProxy } from '../../support/untracking-proxy.ts';
import { DifferentialFixture, LIMITED_ACCOUNT, SERVER_ARGS } from './fixture.ts';
import { runDifferential } from './run-differential.ts';

const FILES = /^(session state|transactions)$/;

const set = new ReplicationSet({ args: SERVER_ARGS, replicas: 0 });
let proxy: UntrackingProxy;
let sluice: SluiceProcess;
let fixture: DifferentialFixture;

t.before(async () => {
  await set.start();
  fixture = await DifferentialFixture.create(set);
  proxy = await UntrackingProxy.start(set.primary);
  sluice = await SluiceProcess.start({
    config: { servers: [proxy.address], users: [APP_ACCOUNT, LIMITED_ACCOUNT], workers: 1 },
  });
});
t.teardown(async () => {
  await sluice?.dispose();
  await proxy?.close();
  await fixture?.close();
  await set.dispose();
});

t.test('a SET pins, reads do not', async (t) => {
  const admin = await sluice.adminConnection();
  const client = await sluice.connect({ database: 'diff' });
  const pins = async (): Promise<string> => {
    const [rows] = await admin.query<RowDataPacket[]>('SHOW PINS');
    return JSON.stringify(rows);
  };
  await client.query('SELECT COUNT(*) FROM f_int');
  t.notMatch(await pins(), /untracked-set/, 'a read leaves the session free');
  await client.query('SET div_precision_increment = 7');
  t.match(await pins(), /untracked-set/, 'a SET binds it');
  const [[row]] = await client.query<RowDataPacket[]>(
    'SELECT 1 / 3 AS third, @@div_precision_increment AS digits',
  );
  t.match(row, { third: '0.3333333', digits: 7 });
  await client.end();
  const next = await sluice.connect({ database: 'diff' });
  const [[other]] = await next.query<RowDataPacket[]>('SELECT @@div_precision_increment AS digits');
  t.match(other, { digits: 4 }, 'and nobody else sees it');
  await next.end();
  await admin.end();
});

t.test('the corpus', async (t) => {
  const proxied = { host: sluice.host, port: sluice.port };
  await runDifferential(t, {
    set,
    fixture,
    server: 'mariadb',
    proxied,
    untracked: true,
    only: ({ file }) => FILES.test(file),
  });
});
