/** Reads from the cache are those of the server, packet by packet. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runCachedReads } from './cached-reads.ts';
import { SERVER_ARGS } from './fixture.ts';

const set = new ReplicationSet({ flavor: 'mariadb', replicas: 0, args: SERVER_ARGS });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('a server, and the cache in front of it, are the same', (t) => runCachedReads(t, set, 'mariadb'));
