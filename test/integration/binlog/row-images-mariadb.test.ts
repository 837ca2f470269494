import t from 'tap';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { BINLOG_ARGS, runRowImages } from './run-row-images.ts';

t.test('row images of random tables', async (t) => {
  const server = new MariadbServer({ args: BINLOG_ARGS });
  t.teardown(() => server.dispose());
  await server.start();
  await runRowImages(t, server);
});
