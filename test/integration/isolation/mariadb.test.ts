/** Hundreds of clients with different state on a few server connections: none ever sees another's. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { DEADLINE_MS, runIsolation, STATE_ARGS } from './run-isolation.ts';

const set = new ReplicationSet({ flavor: 'mariadb', args: STATE_ARGS });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('every client sees its own state only', { timeout: 2 * DEADLINE_MS }, (t) => runIsolation(t, set));
