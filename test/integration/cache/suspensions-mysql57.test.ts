// sluice-test: nightly
import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { runSuspensions } from './run-suspensions.ts';

const missing = await Mysql57Server.unavailableReason();
await t.test('MySQL', { skip: missing ?? false }, (t) => runSuspensions(t, ServerFlavor.mysql));
