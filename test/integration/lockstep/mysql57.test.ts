/** Random statement sequences of several sessions, in lock-step straight and through Sluice. */
// sluice-test: timeout=240

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { runLockstepTests } from './run-lockstep.ts';

const missing = await Mysql57Server.unavailableReason();
t.test('a primary and a replica', { skip: missing ?? false }, (t) => runLockstepTests(t, 'mysql57', 1));
