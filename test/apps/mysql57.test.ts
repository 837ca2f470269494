/** Applications on MySQL 5.7: what they see through Sluice is what they see straight. */
// sluice-test: long

import t from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import { Mysql57Server } from '../support/mysql57-server.ts';
import { runApplications } from './run-applications.ts';

const missing = await Mysql57Server.unavailableReason();
if (missing === null) await runApplications(t, ServerFlavor.mysql);
else t.pass(missing, { skip: missing });
