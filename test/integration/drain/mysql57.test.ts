/** Drain and rolling restart; see run-rolling-restart.ts. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { LOAD_SQL } from './read-load.ts';
import { runRollingRestart } from './run-rolling-restart.ts';

const set = new ReplicationSet({ flavor: 'mysql', sql: LOAD_SQL });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('replicas are drained and restarted', (t) => runRollingRestart(t, set));
