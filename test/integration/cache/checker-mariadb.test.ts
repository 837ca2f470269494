/** Reads on replicas that are held up, one of which becomes the primary. */

import t from 'tap';
import { checkReads } from './check-reads.ts';

void t.test('MariaDB', (t) =>
  checkReads(t, { flavor: 'mariadb', replicas: 1, operations: 6000, holdUpMs: 20, switchovers: 1 }),
);
