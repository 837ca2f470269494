/** Reads while operators flush and load, and a worker crashes. */

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { checkReads } from './check-reads.ts';

const reason = await Mysql57Server.unavailableReason();
void t.test('MySQL 5.7', { skip: reason ?? false }, (t) =>
  checkReads(t, { flavor: 'mysql', replicas: 0, operations: 6000, workerCrashes: 1, operatorMs: 200 }),
);
