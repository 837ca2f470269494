import t from 'tap';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { testLiterals } from './run-literals.ts';

for (const Server of [MariadbServer, Mysql57Server]) {
  t.test(Server.name, async (t) => {
    const server = await new Server().start();
    t.teardown(() => server.dispose());
    await testLiterals(t, server);
  });
}
