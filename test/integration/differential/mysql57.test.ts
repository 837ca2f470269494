/** The corpus straight at a server and through Sluice: a client must not be able to tell them apart. */
// sluice-test: long

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SERVER_ARGS } from './fixture.ts';
import { runThroughSluice } from './run-differential.ts';

const missing = await Mysql57Server.unavailableReason();
const set = new ReplicationSet({ flavor: 'mysql', args: SERVER_ARGS });
t.before(() => (missing === null ? set.start() : undefined));
t.teardown(() => set.dispose());

t.test('direct and through Sluice are the same', { skip: missing ?? false }, (t) =>
  runThroughSluice(t, set, 'mysql57'),
);
