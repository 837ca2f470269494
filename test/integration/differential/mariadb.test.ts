/** The corpus straight at a server and through Sluice: a client must not be able to tell them apart. */
// sluice-test: long

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SERVER_ARGS } from './fixture.ts';
import { runThroughSluice } from './run-differential.ts';

const set = new ReplicationSet({ flavor: 'mariadb', args: SERVER_ARGS });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('direct and through Sluice are the same', (t) => runThroughSluice(t, set, 'mariadb'));
