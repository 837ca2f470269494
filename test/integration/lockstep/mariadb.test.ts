/** Random statement sequences of several sessions, in lock-step straight and through Sluice. */
// sluice-test: timeout=240

import t from 'tap';
import { runLockstepTests } from './run-lockstep.ts';

t.test('a primary and a replica', (t) => runLockstepTests(t, 'mariadb', 1));
