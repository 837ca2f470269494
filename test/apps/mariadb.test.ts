/** Applications on MariaDB: what they see through Sluice is what they see straight. */
// sluice-test: long

import t from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import { runApplications } from './run-applications.ts';

await runApplications(t, ServerFlavor.mariadb);
