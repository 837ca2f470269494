/** Reads from the cache are those of the server, packet by packet. */

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runCachedReads } from './cached-reads.ts';
import { SERVER_ARGS } from './fixture.ts';

const missing = await Mysql57Server.unavailableReason();
const set = new ReplicationSet({ flavor: 'mysql', replicas: 0, args: SERVER_ARGS });
t.before(() => (missing === null ? set.start() : undefined));
t.teardown(() => set.dispose());

t.test('a server, and the cache in front of it, are the same', { skip: missing ?? false }, (t) =>
  runCachedReads(t, set, 'mysql57'),
);
