import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { BINLOG_ARGS, runRowImages } from './run-row-images.ts';

t.test('row images of random tables', async (t) => {
  const server = new Mysql57Server({ args: BINLOG_ARGS });
  t.teardown(() => server.dispose());
  await server.start();
  await runRowImages(t, server);
});
