/** The table of `test/spec/routing`: every statement is executed by the kind of server that the table says. */

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runRouting } from './run-routing.ts';

const missing = await Mysql57Server.unavailableReason();
// Without --log-raw the server logs neither what it cannot parse nor the comments of a PREPARE.
const set = new ReplicationSet({ flavor: 'mysql', args: ['--log-raw'] });
t.before(() => (missing === null ? set.start() : undefined));
t.teardown(() => set.dispose());

t.test('each statement goes where the table says', { skip: missing ?? false }, (t) =>
  runRouting(t, set, 'mysql57'),
);
