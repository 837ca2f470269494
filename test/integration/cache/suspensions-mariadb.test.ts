import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { runSuspensions } from './run-suspensions.ts';

await runSuspensions(t, ServerFlavor.mariadb);
