import t from 'tap';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { BINLOG_ARGS, runRowImages } from './run-row-images.ts';
import { runRowPrecision } from './run-row-precision.ts';

t.test('rows in the binlog', async (t) => {
  const server = new MariadbServer({ args: BINLOG_ARGS });
  t.teardown(() => server.dispose());
  await server.start();
  await t.test('row images of random tables', (t) => runRowImages(t, server));
  await server.query('DROP DATABASE app');
  await t.test('slots of rows', (t) => runRowPrecision(t, server));
});
