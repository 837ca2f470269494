/** Dumps, restores, imports, checks and load by the stock tools: through Sluice as straight. */
// sluice-test: long

import t from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import { Mysql57Server } from '../support/mysql57-server.ts';
import { isNightly } from '../support/nightly.ts';
import { runTools } from './tools/run-tools.ts';

t.test('on MariaDB', (t) => runTools(t, ServerFlavor.mariadb));

const nightly = isNightly ? null : 'nightly only';
const missing = nightly ?? (await Mysql57Server.unavailableReason());
t.test('on MySQL', { skip: missing ?? false }, (t) => runTools(t, ServerFlavor.mysql));
