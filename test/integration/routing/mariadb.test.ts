/** The table of `test/spec/routing`: every statement is executed by the kind of server that the table says. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runRouting } from './run-routing.ts';

const set = new ReplicationSet({ flavor: 'mariadb' });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('each statement goes where the table says', (t) => runRouting(t, set, 'mariadb'));
