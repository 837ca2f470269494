/** What a user without write permission sees of a `dataDir`, as JSON. */

import { StoreError } from '../../../src/control/store/store-error.ts';
import { StoreUnderTest } from './store-under-test.ts';

const SERVER = [0, 'db1', 3306, 0, 'ONLINE', 1, 0, 1000, 0, 0, 0, ''];
const under = new StoreUnderTest({
  dataDir: process.argv[2] ?? null,
  seed: [{ table: 'mysql_servers', rows: [SERVER] }],
});
const save = await under.store.copyTables('memory', 'disk', ['mysql_servers']).then(
  () => 'saved',
  (error: unknown) => (error instanceof StoreError ? `${error.kind}: ${error.message}` : String(error)),
);
const seen = {
  memory: await under.rows('SELECT hostname FROM mysql_servers'),
  disk: await under.rows('SELECT hostname FROM disk.mysql_servers'),
  insert: await under.error("INSERT INTO disk.mysql_servers (hostname) VALUES ('x')"),
  history: await under.rows('SELECT count(*) FROM stats_history.mysql_connections'),
  save,
  notices: under.store.notices,
};
await under.store.close();
process.stdout.write(JSON.stringify(seen));
