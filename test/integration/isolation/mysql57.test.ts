/** Hundreds of clients with different state on a few server connections: none ever sees another's. */

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { DEADLINE_MS, runIsolation, STATE_ARGS } from './run-isolation.ts';

const missing = await Mysql57Server.unavailableReason();
const set = new ReplicationSet({ flavor: 'mysql', args: STATE_ARGS });
t.before(() => (missing === null ? set.start() : undefined));
t.teardown(() => set.dispose());

t.test('every client sees its own state only', { skip: missing ?? false, timeout: 2 * DEADLINE_MS }, (t) =>
  runIsolation(t, set),
);
